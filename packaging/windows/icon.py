"""icon.py SVG OUT.ico: an icon for Windows, of all the sizes it asks for, each as PNG."""
import struct
import subprocess
import sys

SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)

images = [
    subprocess.run(["rsvg-convert", "-w", str(size), "-h", str(size), sys.argv[1]], check=True, capture_output=True).stdout
    for size in SIZES
]
offset = 6 + 16 * len(images)
head = struct.pack("<HHH", 0, 1, len(images))
for size, image in zip(SIZES, images):
    head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(image), offset)
    offset += len(image)
with open(sys.argv[2], "wb") as out:
    out.write(head + b"".join(images))
