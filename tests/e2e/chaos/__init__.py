"""Chaos: eight clients rate, others load, train, roll back and index, while every process is killed, stopped, and finds its
disk full; afterwards all that was acknowledged, and all that follows from it, is compared with what PostgreSQL says.

    /usr/bin/python3 tests/e2e/chaos/run.py --seed 7 --seconds 600

Who does what, when, and what is done to whom, follow from the seed; which statement a kill meets does not.
"""
