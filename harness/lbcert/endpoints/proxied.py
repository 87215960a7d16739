class Proxied: pass
