"""Starting and ending engines that are ours."""
