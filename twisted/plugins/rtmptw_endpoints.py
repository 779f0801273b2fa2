"""
The endpoints C{rtmp:}, C{rtmp6:}, C{rtmps:} and C{rtmps-directory:}, for C{serverFromString}. Data only.
"""

from rtmptw.gate.port import PortParser
from rtmptw.tls.endpoint import DirectoryParser, FilesParser

rtmp = PortParser("rtmp")
rtmp6 = PortParser("rtmp6")
rtmps = FilesParser()
rtmpsDirectory = DirectoryParser()
