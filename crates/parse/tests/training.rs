//! The training program on a handful of sentences.

use std::fs;

use realsyn_parse::train::{CorpusError, Plan, measure, read, train};
use realsyn_parse::{Parser, Scratch};

const PARSES: &str = "\
# train\tby hand\tCats eat fish.
0\t4\tNNS\tNOUN\tnsubj\t1
5\t8\tVBP\tVERB\tROOT\t1
9\t13\tNN\tNOUN\tdobj\t1
13\t14\t.\tPUNCT\tpunct\t1

# train\tby hand\tThe mice slept.
0\t3\tDT\tDET\tdet\t1
4\t8\tNNS\tNOUN\tnsubj\t2
9\t14\tVBD\tVERB\tROOT\t2
14\t15\t.\tPUNCT\tpunct\t2

# train\tby hand\tA house of stone
0\t1\tDT\tDET\tdet\t1
2\t7\tNN\tNOUN\tROOT\t1
8\t10\tIN\tADP\tprep\t1
11\t16\tNN\tNOUN\tpobj\t2

";

#[test]
fn training_learns_and_repeats_itself() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.tsv"), PARSES).unwrap();
    fs::write(folder.path().join("notes.txt"), "not a parse").unwrap();
    let mut sentences = read(folder.path()).unwrap();
    assert_eq!(
        sentences
            .iter()
            .map(|sentence| (sentence.complexity, sentence.action))
            .collect::<Vec<_>>(),
        [(3, true), (2, true), (2, false)]
    );
    let plan = Plan {
        tagger_rounds: 40,
        parser_rounds: 40,
        ..Plan::default()
    };
    let made = train(&sentences, plan, |_| ()).to_bytes();
    sentences.reverse();
    assert!(
        made == train(&sentences, plan, |_| ()).to_bytes(),
        "another order of the sentences gave other weights"
    );
    let parser = Parser::from_bytes(&made).unwrap();
    let mut scratch = Scratch::default();
    for sentence in &sentences {
        let counts = measure(&parser, &mut scratch, sentence);
        assert_eq!(
            (counts.same_tokens, counts.same_tags, counts.same_labels),
            (4, 4, 4),
            "{}",
            sentence.text
        );
        assert_eq!(
            (
                counts.kept_alike,
                counts.same_complexity,
                counts.action_alike()
            ),
            (1, 1, 1)
        );
    }
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.tsv"),
        PARSES.replace("dobj\t1", "dobj\tone"),
    )
    .unwrap();
    let error = read(folder.path()).unwrap_err();
    assert!(
        matches!(error, CorpusError::Line { line: 4, .. }),
        "{error}"
    );
    assert_eq!(error.code(), "parse-line");
    fs::write(
        folder.path().join("a.tsv"),
        PARSES.replace("dobj\t1", "dobj\t9"),
    )
    .unwrap();
    assert!(matches!(
        read(folder.path()),
        Err(CorpusError::Line { line: 6, .. })
    ));
    assert_eq!(read(&folder.path().join("none")).unwrap_err().code(), "io");
}
