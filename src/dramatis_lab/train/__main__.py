"""python -m dramatis_lab.train NETWORK --config recipes/mini/NETWORK.yaml --data ... --run ..."""

from dramatis.cli import run
from dramatis_lab.train.commands import train_app

if __name__ == "__main__":
    run(train_app)
