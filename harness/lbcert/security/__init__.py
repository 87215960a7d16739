"""TLS, NTLM and CredSSP as machines: bytes in, bytes out, no socket. Loaded only where a test asks for them."""
