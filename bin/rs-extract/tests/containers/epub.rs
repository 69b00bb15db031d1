//! EPUB books.

use super::*;

pub fn book(dir: &Path, name: &str) {
    let mut zip = zip::ZipWriter::new(fs::File::create(dir.join(name)).unwrap());
    let mut put = |name: &str, bytes: &[u8]| {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    };
    put("mimetype", b"application/epub+zip");
    put(
        "META-INF/container.xml",
        b"<container><rootfiles><rootfile full-path='OEBPS/p.opf'/></rootfiles></container>",
    );
    put(
        "OEBPS/p.opf",
        b"<package><metadata><dc:title>The Boats</dc:title><dc:language>en</dc:language><dc:source>https://books.example/1</dc:source>\
          <dc:rights>Copyright 1999 The Sailors</dc:rights>\
          </metadata><manifest><item id='b' href='t/b.xhtml' media-type='application/xhtml+xml'/><item id='a' href='t/a.xhtml' \
          media-type='application/xhtml+xml'/><item id='gone' href='t/gone.xhtml' media-type='application/xhtml+xml'/></manifest>\
          <spine><itemref idref='b'/><itemref idref='gone'/><itemref idref='a'/></spine></package>",
    );
    put("OEBPS/t/a.xhtml", b"<?xml version='1.0'?><html><head><title/></head><body><p>The second chapter <a id='x'/>is here.</p></body></html>");
    put(
        "OEBPS/t/b.xhtml",
        b"<html><body><p>The first chapter shows a boat.</p><figure><img src='../i/1.png' alt='A boat'/><figcaption>A boat at sea</figcaption></figure>\
          <img src='../../../../etc/hostname'/><img src='../i/none.png'/></body></html>",
    );
    put("OEBPS/i/1.png", &png(1));
    zip.finish().unwrap();
}

#[test]
fn a_book_is_its_chapters_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    book(dir.path(), "a.epub");
    let finished = extract(dir.path(), &["a.epub", "--rejects", "r"], b"").expect(&[1]);
    let found = records(&finished.out);
    assert_eq!(
        ids(&found),
        [
            "a.epub/OEBPS/t/b.xhtml/s0",
            "a.epub/OEBPS/t/b.xhtml/i0",
            "a.epub/OEBPS/t/b.xhtml/s1",
            "a.epub/OEBPS/t/a.xhtml/s0"
        ]
    );
    assert_eq!(found[3]["text"], "The second chapter is here.");
    let image = &found[1];
    assert_eq!(
        (
            &image["archive"],
            &image["member"],
            &image["figcaption"],
            &image["title"],
            &image["width"]
        ),
        (
            &"a.epub".into(),
            &"OEBPS/i/1.png".into(),
            &"A boat at sea".into(),
            &"The Boats".into(),
            &160.into()
        )
    );
    assert_eq!(
        (&image["lang"], &image["doc_url"]),
        (&"en".into(), &"https://books.example/1".into())
    );
    // That it is somebody's is no licence.
    assert!(image.get("license").is_none());
    let rejects = file(dir.path(), "r");
    let codes: Vec<&str> = rejects
        .iter()
        .map(|reject| reject["code"].as_str().unwrap())
        .collect();
    for code in ["no-source", "missing-image", "missing-chapter"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let bytes = fs::read(dir.path().join("a.epub")).unwrap();
    assert_eq!(
        records(&extract(dir.path(), &[], &bytes).expect(&[1]).out).len(),
        4
    );
    fs::write(dir.path().join("cut.epub"), &bytes[..bytes.len() / 2]).unwrap();
    let _ = extract(dir.path(), &["cut.epub", "--rejects", "cut"], b"").expect(&[1]);
    assert_eq!(file(dir.path(), "cut")[0]["code"], "bad-epub");
}
