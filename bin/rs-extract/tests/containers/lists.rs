//! Lists of files, and files that cannot be read.

use super::*;

#[test]
fn names_are_read_from_a_list() {
    let dir = site();
    let named = extract(dir.path(), &["site"], b"").expect(&[0]).out;
    let list = b"site/doc0.html\0site/doc1.html";
    fs::write(dir.path().join("list"), list).unwrap();
    assert_eq!(
        extract(dir.path(), &["--files0-from", "list"], b"")
            .expect(&[0])
            .out,
        named
    );
    assert_eq!(
        extract(dir.path(), &["--files0-from", "-"], list)
            .expect(&[0])
            .out,
        named
    );
    // What cannot be read is rejected, and the list goes on.
    let finished = extract(
        dir.path(),
        &["--files0-from", "-", "--rejects", "r"],
        b"nowhere\0site\0",
    )
    .expect(&[1]);
    assert_eq!(finished.out, named);
    let rejects = file(dir.path(), "r");
    assert_eq!(
        (&rejects[0]["code"], &rejects[0]["file"]),
        (&"unreadable".into(), &"nowhere".into())
    );
    let _ = extract(dir.path(), &["--files0-from", "list", "site"], b"").expect(&[2]);
    let _ = extract(dir.path(), &["--files0-from", "nowhere"], b"").expect(&[2]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_rejected_and_others_followed() {
    use std::os::unix::fs::symlink;
    let dir = site();
    let at = |name: &str| dir.path().join("site").join(name);
    symlink("loop.html", at("loop.html")).unwrap();
    symlink("nowhere.html", at("gone.html")).unwrap();
    symlink("doc0.html", at("link.html")).unwrap();
    symlink(".", at("folder.html")).unwrap();
    fs::create_dir(at("a-folder.html")).unwrap();
    let finished = extract(dir.path(), &["site", "--rejects", "r"], b"").expect(&[1]);
    let rejects = file(dir.path(), "r");
    let lost: Vec<&str> = rejects
        .iter()
        .map(|reject| reject["file"].as_str().unwrap())
        .collect();
    assert_eq!(lost, ["site/gone.html", "site/loop.html"]);
    assert!(ids(&records(&finished.out)).contains(&"site/link.html/s0"));
}

#[test]
fn what_is_no_document_is_told() {
    let dir = site();
    fs::write(dir.path().join("x.html"), png(1)).unwrap();
    fs::write(dir.path().join("x.zip"), b"PK\x03\x04 no zip").unwrap();
    let finished = extract(
        dir.path(),
        &["x.html", "x.zip", "site/doc0.html", "--rejects", "r"],
        b"",
    )
    .expect(&[1]);
    assert!(!finished.out.is_empty());
    let rejects = file(dir.path(), "r");
    let codes: Vec<&str> = rejects
        .iter()
        .map(|reject| reject["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["unknown-format", "bad-epub"]);
}

/// The files of all rejects under a code.
fn lost(dir: &Path, code: &str) -> Vec<String> {
    let rejects = file(dir, "r");
    let rejects = rejects.iter().filter(|reject| reject["code"] == code);
    rejects
        .map(|reject| reject["file"].as_str().unwrap().to_owned())
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_read_is_rejected_by_name_for_the_superuser_too() {
    use std::os::unix::fs::symlink;
    let dir = site();
    let at = |name: &str| dir.path().join("site").join(name);
    // Reading it fails, whoever asks: no memory is mapped at the address 0.
    symlink("/proc/self/mem", at("a-memory.html")).unwrap();
    // A path that goes through a file.
    symlink("doc0.html/below.html", at("b-below.html")).unwrap();
    let finished = extract(dir.path(), &["site", "--rejects", "r"], b"").expect(&[1]);
    assert_eq!(
        lost(dir.path(), "unreadable"),
        ["site/a-memory.html", "site/b-below.html"]
    );
    let read = records(&finished.out);
    assert!(ids(&read).contains(&"site/doc1.html/s0"));
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_rejected_by_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = site();
    let path = dir.path().join("site/doc0.html");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        eprintln!("not tested: this user may read everything");
        return;
    }
    let finished = extract(dir.path(), &["site", "--rejects", "r"], b"").expect(&[1]);
    assert_eq!(lost(dir.path(), "unreadable"), ["site/doc0.html"]);
    assert!(ids(&records(&finished.out)).contains(&"site/doc1.html/s0"));
}

#[test]
fn a_failure_stays_one_though_later_documents_of_the_same_piece_succeed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    let line = |image: &str| {
        format!(
            "{{\"images\":[{image},null],\"texts\":[null,\"The boat comes in.\"],\"metadata\":\"[]\"}}\n"
        )
    };
    let picture = format!("\"data:image/png;base64,{}\"", base64(&png(1)));
    let lines = [line(&picture), line("null"), line("null")].concat();
    let finished = extract(
        dir.path(),
        &["--from", "obelics", "--images-to", "file/below", "-"],
        lines.as_bytes(),
    )
    .expect(&[2]);
    assert!(finished.err.contains("/i0"), "{}", finished.err);
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, at| {
            number << 8 | u32::from(three.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * at)) as usize % 64];
            text.push(if at > three.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}
