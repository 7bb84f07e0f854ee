from tools.targethost.cli import main

main()
