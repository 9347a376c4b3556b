"""What both runs and reads: the demo, the examination of a judge, judging again."""
