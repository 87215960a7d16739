"""SIP-SIG (catalogue 3.5): a signed 200 OK of an Office Communications Server 2007, as it was recorded.

Source: public test data of the SIPE project.
"""

SIGNED_200 = (
    b'SIP/2.0 200 OK\r\n'
    b'ms-keep-alive: UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300\r\n'
    b'Authentication-Info: NTLM rspauth="0100000000000000BF2E52667DDF6DED", srand="0878F41B", snum="1", op'
    b'aque="4452DFB0", qop="auth", targetname="ocs1.ocs.provo.novell.com", realm="SIP Communications Servi'
    b'ce"\r\n'
    b'From: "Gabriel Burt"<sip:gabriel@ocs.provo.novell.com>;tag=2947328781;epid=1234567890\r\n'
    b'To: <sip:gabriel@ocs.provo.novell.com>;tag=B816D65C2300A32CFA6D371F2AF537FD\r\n'
    b'Call-ID: 8592g5DCBa1694i5887m0D0Bt2247b3F38xAE9Fx\r\n'
    b'CSeq: 3 REGISTER\r\n'
    b'Via: SIP/2.0/TLS 164.99.194.49:10409;branch=z9hG4bKE0E37DBAF252C3255BAD;received=164.99.195.20;ms-re'
    b'ceived-port=10409;ms-received-cid=1E00\r\n'
    b'Contact: <sip:164.99.195.20:10409;transport=tls;ms-received-cid=1E00>;expires=900\r\n'
    b'Expires: 900\r\n'
    b'Allow-Events: vnd-microsoft-provisioning,vnd-microsoft-roaming-contacts,vnd-microsoft-roaming-ACL,pr'
    b'esence,presence.wpending,vnd-microsoft-roaming-self,vnd-microsoft-provisioning-v2\r\n'
    b'Supported: adhoclist\r\n'
    b'Server: RTC/3.0\r\n'
    b'Supported: com.microsoft.msrtc.presence\r\n'
    b'Content-Length: 0\r\n'
    b'\r\n'
)
