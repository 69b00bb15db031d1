//! Man pages and completions from the clap definition.

use anyhow::{Result, bail};
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::{Page, Shape};

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
    // clap's heading on the options would cut the OPTIONS section in two.
    let command = command.mut_args(|argument| argument.help_heading(None::<&str>));
    let man = Man::new(command)
        .title(page.name.to_uppercase())
        .section("1")
        .source(version)
        .manual("RealSyn")
        .date("");
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
    Ok(out)
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
