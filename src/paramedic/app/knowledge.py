"""The faults that are known here: Paramedic's own, and those of the folders that the configuration names."""

from paramedic.app.config_file import knowledge_of_file
from paramedic.diagnosis.pattern import Catalogue
from paramedic.knowledge.catalogue import load_catalogue


def catalogue_in_use() -> Catalogue:
    """What a command diagnoses with, as a watch started here would. Raises InvalidFiles."""
    return load_catalogue(beside=knowledge_of_file())
