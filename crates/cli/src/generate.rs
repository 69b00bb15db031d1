//! Man pages and completions from the clap definition.

use anyhow::{Result, bail};
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::{Page, Shape};

/// The date of the manual: that of the version's first page, so that the same source gives the same bytes.
const DATE: &str = "2026-11-23";

/// The document `what`: `man`, `bash`, `zsh`, `fish`, or `examples`.
pub(crate) fn document(page: &Page, mut command: Command, what: &str) -> Result<Vec<u8>> {
    let shell = match what {
        "man" => return man(page, command),
        "examples" => {
            // Parted by blank lines: a command may have several lines.
            let commands: Vec<&str> = page
                .examples
                .iter()
                .map(|example| example.command)
                .collect();
            return Ok(format!(
                "{}
",
                commands.join(
                    "

"
                )
            )
            .into_bytes());
        }
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => bail!("--generate takes man, bash, zsh, fish or examples"),
    };
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut command, page.name, &mut out);
    Ok(out)
}

fn man(page: &Page, command: Command) -> Result<Vec<u8>> {
    let version = format!("realsyn {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command)
        .title(page.name.to_uppercase())
        .section("1")
        .source(version)
        .manual("RealSyn")
        .date(DATE);
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    let mut roff = Roff::new();
    section(&mut roff, "STDIN", page.stdin);
    section(&mut roff, "RECORDS", page.records);
    section(&mut roff, "MEMORY", page.memory);
    section(
        &mut roff,
        "PARALLEL",
        &format!("{}\n\n{}", shape(page.shape), page.parallel),
    );
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in [
        ("0", "All went well, or whoever read the output has gone."),
        (
            "1",
            "Some records were rejected as bad input; what a rule dropped does not count.",
        ),
        (
            "2",
            "Wrong usage, a file that cannot be read or written, or bad input under --strict.",
        ),
        ("130", "Interrupted."),
    ] {
        roff.control("TP", ["5"])
            .text([bold(status)])
            .text([roman(meaning)]);
    }
    roff.control("SH", ["EXAMPLES"]);
    for example in page.examples {
        roff.control("PP", []).text([roman(example.says)]);
        roff.control("PP", [])
            .control("RS", ["4"])
            .control("nf", []);
        for line in example.command.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []).control("RE", []);
    }
    section(&mut roff, "SEE ALSO", page.see_also);
    roff.to_writer(&mut out)?;
    Ok(tidied(&String::from_utf8(out)?).into_bytes())
}

/// Takes out what `clap_mangen` puts around blank lines and what has no effect behind a heading: `mandoc -T lint` asks
/// for pages without either.
fn tidied(page: &str) -> String {
    let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
    let is_blank = |line: Option<&&str>| line.is_some_and(|line| line.is_empty());
    let mut kept = String::with_capacity(page.len());
    for (at, line) in lines.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| lines.get(at));
        let is_idle = match *line {
            ".br" => is_blank(before) || is_blank(lines.get(at + 1)),
            ".PP" => before.is_some_and(|line| line.starts_with(".SH")),
            _ => false,
        };
        if !is_idle {
            kept.push_str(if line.is_empty() { ".sp" } else { line });
            kept.push('\n');
        }
    }
    kept
}

fn section(roff: &mut Roff, title: &str, text: &str) {
    roff.control("SH", [title]);
    for (at, paragraph) in text
        .split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
        .enumerate()
    {
        if at > 0 {
            roff.control("PP", []);
        }
        let folded = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        roff.text([roman(folded)]);
    }
}

fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::Map => {
            "A map: each record's fate depends on that record alone. It may run under parallel --pipe, and the outputs of \
             shards, concatenated, are the output of the whole."
        }
        Shape::Fold => "A fold: it must see all its input, and must not run under parallel --pipe.",
        Shape::Sink => "A sink: it ends a pipeline and must see all its input.",
    }
}
