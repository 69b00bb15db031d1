//! What the page and the table of rs-report must hold, and what they must never let in.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::path::Path;

use realsyn_behaviour::{Case, Scene};
use serde_json::json;

const CASE: Case = Case {
    name: "rs-report",
    program: env!("CARGO_BIN_EXE_rs-report"),
    arguments: |_| Vec::new(),
    input: records,
    status: &[0],
};

/// Saves a picture of one colour with a darker corner and returns its path.
fn picture(dir: &Path, name: &str, colour: [u8; 3]) -> String {
    let path = dir.join(name);
    let picture = image::RgbImage::from_fn(400, 300, |x, y| {
        image::Rgb(if x < 100 && y < 100 {
            [0, 0, 0]
        } else {
            colour
        })
    });
    picture.save(&path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn pair(id: usize, path: &str, cos: f32) -> serde_json::Value {
    let text = |n: usize, doc: usize, cos: f32| json!({"id": format!("d{doc}.html/s{n}"), "text": format!("Sentence {n} of {doc}."), "cos": cos});
    json!({
        "schema": "pair/1", "id": format!("d{id}.html/i0"), "doc": format!("d{id}.html"), "pos": 1, "path": path,
        "width": 400, "height": 300, "title": format!("Document {id}"), "cluster": id % 3,
        "texts": [text(7, id + id % 2, cos), text(8, 99, cos / 2.0)],
        "tags": ["lake", "mountain"], "caption": "A lake.", "synthetic": "A lake before a mountain.", "synthetic_cos": 0.55,
    })
}

/// Records of every kind.
fn records(dir: &Path) -> String {
    let paths = [
        picture(dir, "a.png", [200, 60, 60]),
        picture(dir, "b.png", [60, 60, 200]),
    ];
    let mut records: Vec<serde_json::Value> = (0..8)
        .map(|id| pair(id, &paths[id % 2], [0.5, 0.25, 0.375, 0.125][id % 4]))
        .collect();
    records.push(json!({"schema": "pair/1", "id": "gone.html/i0", "doc": "gone.html", "path": "no/such/picture.png", "texts": []}));
    for n in 0..3 {
        records.push(json!({"schema": "sentence/1", "id": format!("d{n}.html/s0"), "doc": format!("d{n}.html"), "pos": 0, "text": "Four words of text."}));
        records.push(json!({"schema": "image/1", "id": format!("d{n}.html/i1"), "doc": format!("d{n}.html"), "pos": 2, "path": paths[0], "dup_of": "d0.html/i0", "width": 400, "height": 300}));
        records.push(json!({"schema": "metric/1", "stage": "rs-train", "step": n + 1, "loss": 3.0 - f64::from(n), "lr": 0.001}));
    }
    records.push(json!({"schema": "reject/1", "stage": "rs-extract", "class": "filter", "code": "too-few-words", "message": "2 words", "record": {"schema": "sentence/1", "id": "d1.html/s9", "text": "Too short."}}));
    records.push(json!({"schema": "reject/1", "stage": "rs-embed", "class": "error", "code": "truncated-image", "message": "cut short", "file": "in.jsonl", "line": 7, "text": "{\"schema\""}));
    records.push(json!({"schema": "funnel/1", "stage": "rs-extract", "kind": "image", "seen": 12345, "kept": 6789, "dropped": {"too-small": 5556}}));
    records.push(json!({"schema": "funnel/1", "stage": "rs-sample", "kind": "pair", "seen": 20, "kept": 9, "dropped": {"over-cap": 11},
        "cluster_sizes": {"before": [[10, 1], [5, 2]], "after": [[3, 3]], "random": [[4, 1], [3, 1], [2, 1]]}}));
    lines(&records)
}

/// The records as JSON Lines.
fn lines(records: &[serde_json::Value]) -> String {
    records
        .iter()
        .flat_map(|record| [record.to_string(), "\n".to_owned()])
        .collect()
}

fn page(scene: &Scene, more: &[&str], input: &str) -> String {
    String::from_utf8(scene.run(more, input.as_bytes()).expect(&[0]).out).unwrap()
}

/// The values of every attribute that could make a browser load or run something.
fn loads(page: &str) -> Vec<&str> {
    [
        " src=\"",
        " href=\"",
        " srcset=\"",
        " action=\"",
        " data=\"",
        " xlink:href=\"",
        " poster=\"",
    ]
    .iter()
    .flat_map(|name| {
        page.split(name)
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
    })
    .collect()
}

#[test]
fn the_page_holds_every_section_and_loads_nothing() {
    let scene = CASE.scene();
    let page = page(&scene, &[], &scene.input);
    for section in [
        "funnel",
        "gallery",
        "balance",
        "distributions",
        "curves",
        "duplicates",
        "rejects",
    ] {
        assert!(
            page.contains(&format!("<section id=\"{section}\"")),
            "no {section}"
        );
    }
    for text in [
        "12,345",
        "6,789",
        "5,556",
        "too-small",
        "84.8%",
        "Document 3",
        "truncated-image",
        "Too short.",
        "lake",
    ] {
        assert!(page.contains(text), "no {text}");
    }
    assert!(
        page.contains("No picture") && page.contains("no/such/picture.png"),
        "the lost picture is not told"
    );
    let loads = loads(&page);
    assert!(
        loads
            .iter()
            .all(|load| load.starts_with('#') || load.starts_with("data:")),
        "{loads:?}"
    );
    assert!(
        loads
            .iter()
            .filter(|load| load.starts_with("data:image/jpeg;base64,"))
            .count()
            >= 8
    );
    for forbidden in [
        "<script",
        "@import",
        "url(",
        "<iframe",
        "<object",
        "<link rel=\"stylesheet\"",
        " onload",
        " onerror",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn sections_without_records_are_left_out() {
    let scene = CASE.scene();
    let only = "{\"schema\":\"funnel/1\",\"stage\":\"rs-extract\",\"kind\":\"image\",\"seen\":4,\"kept\":3}\n";
    let shown = page(&scene, &[], only);
    assert!(shown.contains("<section id=\"funnel\""));
    assert_eq!(shown.matches("<section").count(), 1);
    assert!(page(&scene, &[], "").contains("No records"));
}

#[test]
fn what_records_say_is_text_and_never_markup() {
    let scene = CASE.scene();
    let evil = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&\u{0}</style></svg>";
    let url = "javascript:alert(3)";
    let records = [
        json!({"schema": "pair/1", "id": format!("{evil}/i0"), "doc": evil, "path": evil, "url": url, "alt": evil, "title": evil,
            "texts": [{"id": evil, "text": evil, "cos": 0.5}], "tags": [evil], "caption": evil, "synthetic": evil, "cluster": 1}),
        json!({"schema": "image/1", "id": evil, "doc": evil, "url": url, "dup_of": format!("{evil}2"), "caption": evil}),
        json!({"schema": "sentence/1", "id": evil, "doc": evil, "text": evil}),
        json!({"schema": "reject/1", "stage": evil, "class": "error", "code": evil, "message": evil, "file": evil, "line": 1, "text": evil}),
        json!({"schema": "reject/1", "stage": evil, "class": evil, "code": evil, "message": evil, "record": {"schema": "sentence/1", "id": evil, "text": evil}}),
        json!({"schema": "reject/1", "stage": "s", "class": "filter", "code": "c", "message": evil, "record": {"schema": "image/1", "id": evil, "url": url}}),
        json!({"schema": "reject/1", "stage": "s", "class": "filter", "code": "c", "record": {"x": evil}}),
        json!({"schema": "funnel/1", "stage": evil, "kind": evil, "seen": 3, "kept": 2, "dropped": {evil: 1}, "errors": {evil: 1}}),
        json!({"schema": "metric/1", "stage": evil, "step": 1, evil: 3.5}),
        json!({"schema": "metric/1", "stage": evil, "step": 2, evil: 2.5}),
    ];
    let input = lines(&records);
    for more in [&[][..], &["--title", evil, "--date", evil]] {
        let clean: Vec<&str> = more
            .iter()
            .map(|arg| arg.trim_end_matches("&\u{0}</style></svg>"))
            .collect();
        let page = page(&scene, &clean, &input);
        assert!(
            !page.contains("<script") && !page.contains("<img src=x") && !page.contains('\0'),
            "{page}"
        );
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(
            loads(&page)
                .iter()
                .all(|load| load.starts_with('#') || load.starts_with("data:"))
        );
        every_tag_is_ours(&page);
    }
    // Nor can a record move the terminal's cursor.
    let escape = json!({"schema": "funnel/1", "stage": "\u{1b}[2J", "kind": "\r\nx", "seen": 3, "kept": 2, "dropped": {"\u{1b}]0;": 1}});
    let table = page_of_terminal(&scene, &format!("{escape}\n"));
    assert!(
        !table.contains('\u{1b}') && !table.contains('\r'),
        "{table:?}"
    );
}

/// Every tag is one that the page is made of.
fn every_tag_is_ours(page: &str) {
    for tag in page
        .split('<')
        .skip(1)
        .map(|rest| rest.split([' ', '>', '\n']).next().unwrap())
    {
        let known = [
            "!doctype",
            "a",
            "b",
            "body",
            "caption",
            "circle",
            "code",
            "dd",
            "div",
            "dl",
            "dt",
            "fieldset",
            "figcaption",
            "figure",
            "h1",
            "h2",
            "h3",
            "h4",
            "head",
            "header",
            "html",
            "i",
            "img",
            "input",
            "label",
            "legend",
            "li",
            "link",
            "main",
            "meta",
            "nav",
            "ol",
            "p",
            "path",
            "q",
            "rect",
            "section",
            "small",
            "span",
            "strong",
            "style",
            "svg",
            "table",
            "tbody",
            "td",
            "text",
            "th",
            "thead",
            "title",
            "tr",
            "ul",
        ];
        assert!(
            known.contains(&tag.trim_start_matches('/')),
            "an unknown tag <{tag}>"
        );
    }
}

fn page_of_terminal(scene: &Scene, input: &str) -> String {
    page(scene, &["--terminal"], input)
}

#[test]
fn the_gallery_is_bounded_ordered_and_says_so() {
    let scene = CASE.scene();
    let best = page(&scene, &["--max-gallery", "3"], &scene.input);
    assert!(best.contains("Showing 3 of 9 pairs, best first text first."));
    assert_eq!(best.matches("<li class=\"card").count(), 3);
    assert!(
        best.find("Document 0").unwrap() < best.find("Document 4").unwrap()
            && !best.contains("Document 3")
    );
    let input = page(&scene, &["--order", "input"], &scene.input);
    assert!(input.contains("All 9 pairs, in the order of the stream."));
    let places: Vec<_> = (0..8)
        .map(|id| input.find(&format!("Document {id}")).unwrap())
        .collect();
    assert!(places.is_sorted());
    assert_eq!(
        page(&scene, &["--max-gallery", "0"], &scene.input)
            .matches("<li class=\"card")
            .count(),
        0
    );
}

#[test]
fn a_record_read_at_two_stages_counts_once() {
    let scene = CASE.scene();
    let once = page(&scene, &[], &scene.input);
    let pairs: String = scene
        .input
        .split_inclusive('\n')
        .filter(|line| line.contains("pair/1"))
        .collect();
    assert_eq!(page(&scene, &[], &format!("{}{pairs}", scene.input)), once);
}

#[test]
fn the_table_fits_the_terminal_and_ends_with_the_own_document() {
    let scene = CASE.scene();
    let finished = scene
        .run(&["--terminal"], scene.input.as_bytes())
        .expect(&[0]);
    assert_eq!(finished.err, "", "nothing may follow the table");
    let table = String::from_utf8(finished.out).unwrap();
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );
    for text in [
        "rs-extract",
        "12,345",
        "6,789",
        "too-small",
        "-5,556",
        "45.0%",
        "84.8%",
    ] {
        assert!(table.contains(text), "no {text} in\n{table}");
    }
    // Of the eight pairs with a text, those with an even number have it from their own document.
    assert_eq!(
        table.lines().last().unwrap(),
        "own-document first texts: 50.0% of 8 pairs"
    );
    let retrieve = json!({"schema": "funnel/1", "stage": "rs-retrieve", "kind": "image", "seen": 1234, "kept": 1234,
        "pairs": 1234, "first_text_own_doc_share": 0.3712, "chance_own_doc": 0.0042});
    let table = page_of_terminal(&scene, &format!("{retrieve}\n"));
    assert_eq!(
        table.lines().last().unwrap(),
        "own-document first texts: 37.1% of 1,234 pairs; chance 0.42%; 88 times chance"
    );
}
