//! The documentation is true: generated files are current, and the commands that it shows work.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of these tests assert"
)]

use std::path::Path;

use realsyn_tests::{TOOLS, World, endpoint, has, root, tools};

/// Man pages and completions, by file name.
fn generated(tool: &str) -> [(String, &'static str); 4] {
    [
        (format!("man/{tool}.1"), "man"),
        (format!("completions/{tool}.bash"), "bash"),
        (format!("completions/_{tool}"), "zsh"),
        (format!("completions/{tool}.fish"), "fish"),
    ]
}

fn generate(tool: &str, what: &str) -> String {
    let finished = realsyn_behaviour::run(
        &tools().join(tool),
        &["--generate".into(), what.into()],
        Path::new("."),
        b"",
    );
    String::from_utf8(finished.expect(&[0]).out).unwrap()
}

/// `REALSYN_WRITE=1 cargo test -p realsyn-tests --test documents` writes the files in place of comparing them.
#[test]
fn man_pages_and_completions_are_current() {
    let write = std::env::var_os("REALSYN_WRITE").is_some();
    for tool in TOOLS {
        for (file, what) in generated(tool) {
            let path = root().join(&file);
            let now = generate(tool, what);
            if write {
                std::fs::write(&path, now).unwrap();
                continue;
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == now,
                "{file} is not what {tool} --generate {what} says; REALSYN_WRITE=1 writes it"
            );
        }
    }
}

#[test]
fn every_man_page_has_its_sections_and_examples() {
    for tool in TOOLS {
        let page = generate(tool, "man");
        for section in [
            "SYNOPSIS",
            "OPTIONS",
            "STDIN",
            "RECORDS",
            "MEMORY",
            "PARALLEL",
            "EXIT STATUS",
            "EXAMPLES",
        ] {
            assert!(
                page.contains(&format!(".SH \"{section}\""))
                    || page.contains(&format!(".SH {section}")),
                "{tool}: {section}"
            );
        }
        assert!(
            !generate(tool, "examples").trim().is_empty(),
            "{tool} has no examples"
        );
    }
}

#[test]
fn the_examples_of_the_man_pages_work() {
    for tool in TOOLS {
        // Each tool in a folder of its own, so that no example lives on another tool's.
        let world = World::new();
        for command in generate(tool, "examples").split("\n\n") {
            if command.contains("jq ") && !has("jq") {
                continue;
            }
            let mut command = command.to_owned();
            for port in ["localhost:8000", "localhost:8001"] {
                if command.contains(port) {
                    command = command.replace(port, &format!("127.0.0.1:{}", endpoint()));
                }
            }
            // What an example writes may be what another tool's example reads, and lies there already.
            let words: Vec<&str> = command.split_whitespace().collect();
            let is_name = |word: &str| {
                word.chars()
                    .all(|letter| letter.is_alphanumeric() || "._-/".contains(letter))
            };
            for pair in words.windows(2) {
                let writes = ["--rejects", "--report", "--count", "--out", "-o"].contains(&pair[0]);
                if writes && is_name(pair[1]) {
                    world.ok(&format!("rm -rf {}", pair[1]));
                }
            }
            let finished = world.sh(&format!("export API_KEY=key\n{command}"));
            assert!(
                finished.status.is_some_and(|status| status <= 1),
                "{tool}: {command}\n{}",
                finished.err
            );
        }
    }
}

#[test]
fn the_examples_of_the_readme_work() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let world = World::new();
    let mut ran = 0;
    // Blocks of `sh` that follow the comment are meant for the folder that these tests make.
    for block in readme.split("<!-- executed -->").skip(1) {
        let code = block
            .trim_start()
            .strip_prefix("```sh\n")
            .expect("a block of sh after the comment");
        let code = code.split("```").next().unwrap();
        let finished = world.sh(code);
        assert_eq!(finished.status, Some(0), "{code}\n{}", finished.err);
        ran += 1;
    }
    assert!(ran >= 3, "README shows {ran} executed examples");
}
