"""
What C{twistd} lists as C{rtmp}. Data only: L{rtmptw.tap} is imported when it is chosen.
"""

from twisted.application.service import ServiceMaker

rtmp = ServiceMaker("rtmptw", "rtmptw.tap", "An RTMP server: publish, play, record.", "rtmp")
