//! rs-extract on the command line: what the shared table of behaviours does not know.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::zombie_processes,
    reason = "a test says what went wrong by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use image::{GrayImage, ImageFormat};
use realsyn_behaviour::{Finished, fixtures, records, run};
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rs-extract");

fn extract(dir: &Path, arguments: &[&str], stdin: &[u8]) -> Finished {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|&argument| argument.to_owned())
        .collect();
    run(PROGRAM.as_ref(), &arguments, dir, stdin)
}

fn rejects(dir: &Path, name: &str) -> Vec<Value> {
    records(&fs::read(dir.join(name)).unwrap())
}

/// The text or path of each record, in order.
fn gist(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .map(|record| {
            record["text"]
                .as_str()
                .or(record["path"].as_str())
                .or(record["url"].as_str())
                .unwrap()
        })
        .collect()
}

fn site(count: usize) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fixtures::documents(&dir.path().join("site"), count);
    dir
}

#[test]
fn a_page_becomes_its_images_and_sentences_in_order() {
    let dir = site(1);
    let finished = extract(dir.path(), &["./site", "--report", "f"], b"").expect(&[0]);
    let found = records(&finished.out);
    let sentences = fixtures::sentences(0);
    // The heading, in which nothing happens, has its place and goes.
    let mut expected: Vec<&str> = sentences[..3].iter().map(String::as_str).collect();
    expected.push("site/doc0-0.jpg");
    expected.extend(sentences[3..].iter().map(String::as_str));
    expected.push("site/doc0-1.jpg");
    assert_eq!(gist(&found), expected);
    let image = &found[3];
    assert_eq!(
        (&image["schema"], &image["id"]),
        (&"image/1".into(), &"site/doc0.html/i0".into())
    );
    assert_eq!(
        (&image["width"], &image["height"], &image["format"]),
        (&160.into(), &120.into(), &"jpeg".into())
    );
    assert_eq!(
        (&image["alt"], &image["title"], &image["pos"]),
        (&"view 0".into(), &"Coast 0".into(), &4.into())
    );
    let bytes = fs::read(dir.path().join("site/doc0-0.jpg")).unwrap();
    assert_eq!(
        (&image["bytes"], image["hash"].as_str().map(str::len)),
        (&bytes.len().into(), Some(35))
    );
    let funnel = rejects(dir.path(), "f");
    assert_eq!(
        funnel
            .iter()
            .find(|kind| kind["kind"] == "document")
            .unwrap()["kept"],
        1
    );
}

#[test]
fn two_steps_over_shards_give_what_one_run_gives() {
    let dir = site(6);
    // A bound that half of the sentences reach.
    let above = ["site", "--min-entropy", "9", "--rejects", "r"];
    let _ = extract(dir.path(), &above, b"").expect(&[0]);
    let mut entropies: Vec<String> = rejects(dir.path(), "r")
        .iter()
        .filter(|reject| reject["code"] == "low-entropy")
        .map(|reject| reject["message"].as_str().unwrap()["entropy ".len()..][..6].to_owned())
        .collect();
    entropies.sort_unstable();
    let bound = entropies[entropies.len() / 2].clone();
    let whole = extract(
        dir.path(),
        &["site", "--min-entropy", &bound, "-j", "3"],
        b"",
    )
    .expect(&[0])
    .out;
    let everything = extract(dir.path(), &["site", "--skip-rule", "low-entropy"], b"")
        .expect(&[0])
        .out;
    assert!(
        !whole.is_empty() && whole.len() < everything.len(),
        "the rule must drop some and keep some"
    );
    let names: Vec<String> = (0..6).map(|doc| format!("site/doc{doc}.html")).collect();
    let shards = [&names[..2], &names[2..3], &names[3..]];
    for (number, shard) in shards.iter().enumerate() {
        let out = format!("{number}.fst");
        let arguments: Vec<&str> = ["--count", &out]
            .into_iter()
            .chain(shard.iter().map(String::as_str))
            .collect();
        assert!(
            extract(dir.path(), &arguments, b"")
                .expect(&[0])
                .out
                .is_empty()
        );
    }
    let mut parts = Vec::new();
    for shard in shards {
        let mut arguments = vec!["--min-entropy", &bound];
        for counts in ["2.fst", "0.fst", "1.fst"] {
            arguments.extend(["--counts", counts]);
        }
        arguments.extend(shard.iter().map(String::as_str));
        parts.extend(extract(dir.path(), &arguments, b"").expect(&[0]).out);
    }
    assert_eq!(
        String::from_utf8(parts).unwrap(),
        String::from_utf8(whole).unwrap()
    );
    // Merged beforehand, they are the file that one run over everything writes, and overwriting must be asked for.
    let merge = ["--merge-counts", "sum.fst", "2.fst", "0.fst", "1.fst"];
    let _ = extract(dir.path(), &merge, b"").expect(&[0]);
    let _ = extract(dir.path(), &merge, b"").expect(&[2]);
    let _ = extract(dir.path(), &["--count", "all.fst", "site"], b"").expect(&[0]);
    let read = |name| fs::read(dir.path().join(name)).unwrap();
    assert!(read("sum.fst") == read("all.fst"));
}

#[test]
fn damaged_counts_and_conflicting_flags_are_status_2() {
    let dir = site(1);
    let _ = extract(dir.path(), &["--count", "a", "site"], b"").expect(&[0]);
    let counts = fs::read(dir.path().join("a")).unwrap();
    fs::write(dir.path().join("b"), &counts[..counts.len() - 20]).unwrap();
    for arguments in [
        &["--counts", "b", "site"][..],
        &["--counts", "nowhere", "site"],
        &["--counts", "a", "--count", "c", "site"],
        &["--merge-counts", "d", "a", "b"],
        &["--merge-counts", "d"],
        &["--language", "xx", "site"],
        &["--perplexity", "a", "site"],
        &["--min-perplexity", "3", "site"],
        &[
            "--perplexity",
            "a",
            "--perplexity-percentiles",
            "9,5",
            "site",
        ],
        &["--skip-rule", "nonsense", "site"],
        &["--entropy-base", "1", "site"],
        &["nowhere"],
        &["-", "-"],
    ] {
        let finished = extract(dir.path(), arguments, b"").expect(&[2]);
        assert!(
            finished.out.is_empty() && !finished.err.is_empty(),
            "{arguments:?}"
        );
    }
}

#[test]
fn each_rule_rejects_under_its_code_and_can_be_switched_off() {
    let dir = site(1);
    let picture =
        |width, height| fixtures::encoded(&fixtures::picture(3, width, height), ImageFormat::Png);
    fs::write(dir.path().join("small.png"), picture(99, 300)).unwrap();
    fs::write(dir.path().join("wide.png"), picture(301, 100)).unwrap();
    fs::write(
        dir.path().join("v.svg"),
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
    )
    .unwrap();
    let long = "The very long and the very long ".repeat(13);
    let page = format!(
        "<main><p>What a day in the sun 😀 it was.<p>It is at https://a.example now.<p>Too short.<p>{long}.\
         <p>He paints doors.<p>Bright lanterns over the harbour at night.<img src=small.png><img src=wide.png><img src=v.svg><img><img src=site/doc0-0.jpg>\
         <img src=site/doc0-0.jpg><img src=gone.png><p>The end of the day comes in the best of the sea, and the sun goes to the sea.<p>{GERMAN}"
    );
    fs::write(dir.path().join("p.html"), page).unwrap();
    let finished = extract(
        dir.path(),
        &["p.html", "--min-entropy", "0.7", "--rejects", "r"],
        b"",
    )
    .expect(&[1]);
    let codes: Vec<String> = rejects(dir.path(), "r")
        .iter()
        .map(|reject| reject["code"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "emoji",
        "url",
        "too-few-words",
        "too-many-words",
        "no-action",
        "too-small",
        "bad-aspect",
        "vector-image",
        "no-source",
        "repeated-in-doc",
        "missing-image",
        "other-language",
        "low-entropy",
    ];
    assert_eq!(codes, expected);
    let sentence = &rejects(dir.path(), "r")[0]["record"];
    assert_eq!(
        (&sentence["schema"], &sentence["id"]),
        (&"sentence/1".into(), &"p.html/s0".into())
    );
    let kept = records(&finished.out);
    assert_eq!(gist(&kept)[0], "site/doc0-0.jpg");
    assert_eq!(kept.len(), 2);
    let all = "emoji,url,too-few-words,too-many-words,other-language,low-complexity,no-action,low-entropy,too-small,\
               bad-aspect,repeated-in-doc";
    let finished = extract(
        dir.path(),
        &["p.html", "--skip-rule", all, "--rejects", "all"],
        b"",
    )
    .expect(&[1]);
    assert_eq!(records(&finished.out).len(), 12);
    assert_eq!(rejects(dir.path(), "all").len(), 3);
}

const GERMAN: &str = "Der Hafen liegt im Norden der Insel, und die Boote kommen herein, bevor sich abends der Wind dreht \
                      und man von den Hügeln aus schon das Licht des Turmes sehen kann, der dort steht.";

#[test]
fn languages_and_complexity_are_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let english = "The tall woman paints the stone tower.";
    let line = format!(
        "{{\"images\":[null,null],\"texts\":[\"{GERMAN}\",\"{english}\"],\"metadata\":\"[null,null]\"}}"
    );
    let with = |flags: &[&str]| {
        let flags = [&["-q", "--skip-rule", "low-entropy"], flags].concat();
        let finished = extract(dir.path(), &flags, line.as_bytes()).expect(&[0]);
        let found = records(&finished.out);
        gist(&found)
            .iter()
            .map(|&text| if text == GERMAN { "de" } else { "en" })
            .collect::<String>()
    };
    // The short sentence goes with its document.
    assert_eq!(with(&[]), "");
    assert_eq!(with(&["--language", "en,de"]), "deen");
    assert_eq!(with(&["--language", "de", "--min-complexity", "9"]), "deen");
    assert_eq!(
        with(&["--language", "any", "--skip-rule", "no-action"]),
        "deen"
    );
    let flags = [
        "--language",
        "any",
        "--min-complexity",
        "9",
        "--rejects",
        "r",
        "-f",
    ];
    assert_eq!(with(&flags), "");
    assert_eq!(rejects(dir.path(), "r")[0]["code"], "low-complexity");
}

#[test]
fn perplexity_has_bounds_that_are_given_or_chosen() {
    let dir = site(6);
    let mut trainer = realsyn_ngram::Trainer::new(realsyn_ngram::TrainOptions::default()).unwrap();
    (0..4)
        .flat_map(fixtures::sentences)
        .for_each(|sentence| trainer.push(&sentence).unwrap());
    let mut model = Vec::new();
    trainer.write(&mut model).unwrap();
    fs::write(dir.path().join("m"), model).unwrap();
    let flags = [
        "site",
        "--perplexity",
        "m",
        "--report",
        "f",
        "-f",
        "--rejects",
        "r",
    ];
    let run = |more: &[&str]| extract(dir.path(), &[&flags[..], more].concat(), b"").expect(&[0]);
    let numbers = |out: &[u8]| -> Vec<f64> {
        let records = records(out);
        records
            .iter()
            .filter_map(|record| record["perplexity"].as_f64())
            .collect()
    };
    let off = "perplexity-low,perplexity-high";
    let mut all = numbers(&run(&["--skip-rule", off]).out);
    assert!(
        all.len() > 20
            && rejects(dir.path(), "r")
                .iter()
                .all(|reject| reject["code"] != "perplexity-low")
    );
    all.sort_unstable_by(f64::total_cmp);
    let chosen = run(&["--perplexity-percentiles", "20,60"]);
    let funnel = rejects(dir.path(), "f");
    let sentences = funnel
        .iter()
        .find(|kind| kind["kind"] == "sentence")
        .unwrap();
    let bounds = ["min_perplexity", "max_perplexity"].map(|name| sentences[name].as_f64().unwrap());
    let share = |at: usize| all[(all.len() * at).div_ceil(10) - 1];
    assert_eq!(
        bounds.map(f64::to_bits),
        [share(2), share(6)].map(f64::to_bits)
    );
    assert!(
        chosen
            .err
            .contains(&format!("{} to {}", bounds[0], bounds[1]))
    );
    let kept = numbers(&chosen.out);
    let expected = all
        .iter()
        .filter(|&&p| (bounds[0]..=bounds[1]).contains(&p));
    assert_eq!(kept.len(), expected.count());
    let codes: std::collections::BTreeSet<String> = rejects(dir.path(), "r")
        .iter()
        .map(|reject| reject["code"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        codes.contains("perplexity-low") && codes.contains("perplexity-high"),
        "{codes:?}"
    );
    // The same bounds, given, in one pass, and at any number of threads.
    let _ = extract(dir.path(), &["--count", "c", "site"], b"").expect(&[0]);
    let [low, high] = bounds.map(|bound| bound.to_string());
    let given = [
        "--min-perplexity",
        &low,
        "--max-perplexity",
        &high,
        "--counts",
        "c",
        "-j3",
    ];
    assert!(run(&given).out == chosen.out);
    let counts = ["--perplexity-percentiles", "20,60", "--counts", "c", "-j2"];
    assert!(run(&counts).out == chosen.out);
}

#[test]
fn explain_tells_what_becomes_of_each_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let page =
        b"<main><p>The tall woman paints the tower. Two boats.<p>A grey heron over the harbour.";
    let finished = extract(dir.path(), &["--explain"], page).expect(&[0]);
    let said = String::from_utf8(finished.out).unwrap();
    let heads: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("-/s"))
        .collect();
    assert_eq!(
        heads,
        [
            "-/s0: kept",
            "-/s1: too-few-words, 2 of at least 3 words",
            "-/s2: no-action, no verb has a subject"
        ]
    );
    assert!(said.contains("nsubj") && said.contains("The tall woman paints the tower.\n"));
}

#[test]
fn folders_are_walked_in_order_and_loops_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let page = "<main><p>The sea meets the sun and the sand of the day.";
    fs::create_dir_all(dir.path().join("d/b/c")).unwrap();
    for name in [
        "d/z.html",
        "d/b/c/y.HTM",
        "d/a.xhtml",
        "d/b.txt",
        "d/B.html",
        "lone.txt",
    ] {
        fs::write(dir.path().join(name), page).unwrap();
    }
    std::os::unix::fs::symlink(dir.path().join("d"), dir.path().join("d/b/loop")).unwrap();
    let finished = extract(dir.path(), &["d/", "lone.txt"], b"").expect(&[0]);
    let docs: Vec<Value> = records(&finished.out)
        .iter()
        .map(|record| record["doc"].clone())
        .collect();
    assert_eq!(
        docs,
        [
            "d/B.html",
            "d/a.xhtml",
            "d/b/c/y.HTM",
            "d/z.html",
            "lone.txt"
        ]
    );
}

#[test]
fn standard_input_is_a_page_or_lines_by_its_first_character() {
    let dir = site(1);
    let page = b"  <p>The sea meets the sun and the sand of the day.<img src=site/doc0-0.jpg>";
    let found = records(&extract(dir.path(), &[], page).expect(&[0]).out);
    assert_eq!((found.len(), &found[0]["id"]), (2, &"-/s0".into()));
    let line = br#"{"images":[null,"site/doc0-0.jpg"],"texts":["The sea meets the sun and the sand of the day.",null],"metadata":"[null,null]"}"#;
    let found = records(&extract(dir.path(), &[], line).expect(&[0]).out);
    assert_eq!((found.len(), &found[1]["width"]), (2, &160.into()));
    assert!(found[0]["doc"].as_str().unwrap().starts_with("b3:"));
    assert!(extract(dir.path(), &[], b"").expect(&[0]).out.is_empty());
}

#[test]
fn a_line_is_answered_while_the_pipe_stays_open() {
    let mut child = Command::new(PROGRAM)
        .args(["-q", "--skip-rule", "low-entropy"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (
        child.stdin.take().unwrap(),
        BufReader::new(child.stdout.take().unwrap()),
    );
    for n in 0..3 {
        writeln!(
            stdin,
            r#"{{"images":[null],"texts":["The boy reads number {n} of the lines."]}}"#
        )
        .unwrap();
        stdin.flush().unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(
            line.contains(&format!("The boy reads number {n}")),
            "{line}"
        );
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_resumed_run_over_pages_ends_as_a_clean_one() {
    let dir = site(5);
    let flags = ["site", "--skip-rule", "low-entropy", "-q"];
    let clean = extract(dir.path(), &flags, b"").expect(&[0]).out;
    let resumed = [&flags[..], &["-o", "out", "--resume"]].concat();
    let _ = extract(dir.path(), &resumed, b"").expect(&[0]);
    assert_eq!(fs::read(dir.path().join("out")).unwrap(), clean);
    // Whole: nothing is done again, and nothing goes to standard output.
    assert!(
        extract(dir.path(), &resumed, b"")
            .expect(&[0])
            .out
            .is_empty()
    );
}

/// What the issue asks: broken HTML, a truncated JPEG, a 169-megapixel PNG, a 100 MB line, NUL bytes, invalid UTF-8.
#[test]
fn a_hostile_folder_runs_through_in_bounded_memory() {
    let dir = site(3);
    let at = |name: &str| dir.path().join("site").join(name);
    let jpeg = fs::read(at("doc0-0.jpg")).unwrap();
    fs::write(at("cut.jpg"), &jpeg[..60]).unwrap();
    let bomb = fs::File::create(at("bomb.png")).unwrap();
    GrayImage::new(13_000, 13_000)
        .write_to(&mut std::io::BufWriter::new(bomb), ImageFormat::Png)
        .unwrap();
    fs::write(
        at("e.html"),
        "<main><p>The bomb lies in the middle of the page.<img src=bomb.png><img src=cut.jpg>",
    )
    .unwrap();
    fs::write(
        at("broken.html"),
        "<p><b><table><tr><p>The broken <i>page is read</b> to the end.</tr></x></table></i",
    )
    .unwrap();
    fs::write(
        at("nul.html"),
        b"<main><p>The NUL \0byte leaves\0 the page in the evening.\0</main>",
    )
    .unwrap();
    fs::write(at("utf8.html"), b"<meta charset=utf-8><p>The old fisherman reads the page. The other has \xff\xfe in the middle.").unwrap();
    let mut deep = "<div>".repeat(100_000);
    deep.push_str("The old fisherman finds the page in the sea.");
    fs::write(at("deep.html"), deep).unwrap();
    fs::write(at("big.html"), "<p>The page is too big.".repeat(1 << 20)).unwrap();
    let mut lines = String::from(
        "{\"images\":[null],\"texts\":[\"The first line says what the others say.\"]}\n{\"images\":[\"",
    );
    lines.extend(std::iter::repeat_n('x', 100_000_000));
    lines.push_str("\"],\"texts\":[null]}\n");
    writeln!(
        lines,
        "{{\"images\":[null],\"texts\":[\"The last line says what the others say.\"]}}\nnot json"
    )
    .unwrap();
    fs::write(at("lines.jsonl"), lines).unwrap();

    let mut child = Command::new(PROGRAM)
        .current_dir(dir.path())
        .args(["site", "-j", "2", "-q", "-o", "out", "--rejects", "r"])
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (mut peak, mut ended) = (0, None);
    while ended.is_none() {
        let now = fs::read_to_string(&status).unwrap_or_default();
        let kilobytes = now.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<u64>()
                .ok()
        });
        peak = peak.max(kilobytes.unwrap_or(0));
        ended = child.try_wait().unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(ended.unwrap().code(), Some(1));
    println!("peak memory: {} MB", peak / 1024);
    assert!(peak < 1 << 20, "{peak} kB");

    let lost: Vec<String> = rejects(dir.path(), "r")
        .iter()
        .filter(|reject| reject["class"] == "error")
        .map(|reject| {
            format!(
                "{} {}",
                reject["file"].as_str().unwrap(),
                reject["code"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        "site/big.html document-too-large",
        "site/e.html too-many-pixels",
        "site/e.html truncated-image",
        "site/lines.jsonl line-too-long",
        "site/lines.jsonl bad-json",
        "site/utf8.html damaged-text",
    ];
    assert_eq!(lost, expected);
    let kept = records(&fs::read(dir.path().join("out")).unwrap());
    let kept = gist(&kept);
    for text in [
        "The bomb lies in the middle of the page.",
        "The NUL byte leaves the page in the evening.",
        "The old fisherman reads the page.",
        "The old fisherman finds the page in the sea.",
        "The first line says what the others say.",
        "The last line says what the others say.",
    ] {
        assert!(kept.contains(&text), "{text:?} is not among {kept:#?}");
    }
}
