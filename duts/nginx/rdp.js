// The persistence key of an RDP connection: the user's name in the first packet, or else the client's address.
// MS-RDPBCGR 2.2.1.1: TPKT (4 bytes: version 3, 0, length), X.224 (7 bytes: length, code E0, ...), then the cookie.

var HEADER = 11;
var COOKIE = 'Cookie: mstshash=';
var name = '';

// Waits for the whole packet, as its header gives the length; anything that is no Connection Request has no name.
function preread(s) {
    s.on('upload', function (data, flags) {
        if (data.length && data.charCodeAt(0) != 3 || data.length > 1 && data.charCodeAt(1) != 0) {
            s.done();
            return;
        }
        if (data.length < 4) {
            return;
        }
        var length = data.charCodeAt(2) * 256 + data.charCodeAt(3);
        if (length >= HEADER && data.length < length) {
            return;
        }
        name = user(data.slice(HEADER, length));
        s.done();
    });
}

// The name up to its CR LF, also behind a routing token. A name cut to its domain ("MYDOMAIN\") is nobody's.
function user(text) {
    var start = text.indexOf(COOKIE);
    var end = start < 0 ? -1 : text.indexOf('\r\n', start);
    var found = end < 0 ? '' : text.slice(start + COOKIE.length, end);
    return found.endsWith('\\') ? '' : found.toLowerCase();
}

function key(s) {
    return name ? 'user ' + name : 'address ' + s.remoteAddress;
}

export default { preread, key };
