"""What is put on a target host to measure uploads there: a stream like a dump, and programs that send one."""
