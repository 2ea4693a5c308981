//! Requests as a hostile client writes them: git's own client would not send all of them.

/// One packet.
pub fn packet(line: &str) -> Vec<u8> {
    format!("{:04x}{line}", line.len() + 4).into_bytes()
}

/// What asks for one object: by the first protocol (0, 1), or the second.
pub fn want(version: u8, id: &str) -> Vec<u8> {
    let mut request = Vec::new();
    match version {
        2 => {
            for line in ["command=fetch", "object-format=sha1"] {
                request.extend(packet(line));
            }
            request.extend(b"0001");
            for line in [&format!("want {id}\n"), "ofs-delta\n", "done\n"] {
                request.extend(packet(line));
            }
            request.extend(b"0000");
        }
        _ => {
            request.extend(packet(&format!("want {id} side-band-64k ofs-delta\n")));
            request.extend(b"0000");
            request.extend(packet("done\n"));
        }
    }
    request
}

/// The same with a filter, and as somebody who says that they have nothing before some depth.
pub fn want_shallow(id: &str) -> Vec<u8> {
    let mut request = packet(&format!("want {id} side-band-64k shallow\n"));
    request.extend(packet("deepen 1\n"));
    request.extend(b"0000");
    request.extend(packet("done\n"));
    request
}

/// Whether a pack came.
pub fn has_pack(answer: &[u8]) -> bool {
    answer.windows(4).any(|window| window == b"PACK")
}
