//! WebDataset tars.

use super::*;

pub fn samples() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut put = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes).unwrap();
    };
    put("000.png", &png(1));
    put(
        "000.txt",
        "The boat comes in. The evening\nis near the sea.".as_bytes(),
    );
    put(
        "000.json",
        br#"{"url":"https://p.example/0.png","license":"CC0","key":"000"}"#,
    );
    put(
        "001.json",
        br#"{"caption":"A caption of the picture alone."}"#,
    );
    put("001.png", &png(2));
    put(
        "d/002.html",
        b"<main><p>A page of a sample is here.<img src=002.png>",
    );
    put("d/002.png", &png(3));
    put("003.png", b"no picture at all");
    builder.into_inner().unwrap()
}

#[test]
fn a_tar_is_its_samples() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = samples();
    fs::write(dir.path().join("a.tar"), &bytes).unwrap();
    fs::write(dir.path().join("a.tar.gz"), gz(&bytes)).unwrap();
    let finished = extract(dir.path(), &["a.tar", "--rejects", "r"], b"").expect(&[1]);
    let found = records(&finished.out);
    assert_eq!(
        ids(&found),
        [
            "a.tar/000/i0",
            "a.tar/000/s0",
            "a.tar/000/s1",
            "a.tar/001/i0",
            "a.tar/001/s0",
            "a.tar/d/002/s0",
            "a.tar/d/002/i0",
        ]
    );
    let image = &found[0];
    assert_eq!(
        (
            &image["url"],
            &image["archive"],
            &image["member"],
            &image["offset"],
            &image["license"]
        ),
        (
            &"https://p.example/0.png".into(),
            &"a.tar".into(),
            &"000.png".into(),
            &0.into(),
            &"CC0".into()
        )
    );
    assert_eq!(found[2]["text"], "The evening is near the sea.");
    assert_eq!(file(dir.path(), "r")[0]["code"], "unsupported-image");
    let packed = records(
        &extract(dir.path(), &["a.tar.gz", "-j", "3"], b"")
            .expect(&[1])
            .out,
    );
    assert_eq!(packed.len(), found.len());
    // What is whole before the cut is kept.
    let cut = extract(
        dir.path(),
        &["--rejects", "cut"],
        &bytes[..3 * 512 + png(1).len()],
    )
    .expect(&[1]);
    assert!(!records(&cut.out).is_empty());
    assert_eq!(file(dir.path(), "cut").last().unwrap()["class"], "error");
}
