"""
The endpoints C{rtmps:} and C{rtmps-directory:}, for C{serverFromString}. Data only.
"""

from rtmptw.tls.endpoint import DirectoryParser, FilesParser

rtmps = FilesParser()
rtmpsDirectory = DirectoryParser()
