"""A disk of a few hundred megabytes for one process, which can be filled and freed again."""

import errno
import os
import subprocess


class Disk:
    """A tmpfs of a limited size: full for whoever writes there, and for nobody else."""

    def __init__(self, folder, megabytes):
        self.folder, self.filler = folder, folder / "filler"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)],
                              capture_output=True, text=True)
        self.bounded = done.returncode == 0
        self.why_not = "" if self.bounded else done.stderr.strip()

    def fill(self):
        """Until nothing more can be written, not even by those who append to a page that is there."""
        if not self.bounded:
            return
        with open(self.filler, "wb", buffering=0) as f:
            for size in (1 << 20, 1 << 12):
                self._write(f, bytes(size))

    @staticmethod
    def _write(f, block):
        try:
            while f.write(block) == len(block):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

    def free(self):
        if self.filler.exists():
            os.unlink(self.filler)

    def end(self):
        if self.bounded:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)
