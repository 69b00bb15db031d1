//! The behaviours that every tool must have, of the map that `--model` is with either kind of model, and of the fold that
//! percentiles are.

use std::path::Path;

use realsyn_behaviour::{Case, fixtures, run};

fn train(dir: &Path) {
    let _ = run(
        env!("CARGO_BIN_EXE_rs-perplexity").as_ref(),
        &["-q", "--train", "a.ngram"].map(str::to_owned),
        dir,
        fixtures::sentence_records(4).as_bytes(),
    )
    .expect(&[0]);
}

const NGRAM: Case = Case {
    name: "rs-perplexity",
    program: env!("CARGO_BIN_EXE_rs-perplexity"),
    arguments: |dir| {
        train(dir);
        ["--model", "a.ngram"].map(str::to_owned).into()
    },
    input: |dir| fixtures::image_records(dir, 2) + &fixtures::sentence_records(3),
    status: &[0],
};

const CAUSAL: Case = Case {
    arguments: |dir| {
        fixtures::causal_lm(&dir.join("gpt2"));
        ["--model", "gpt2", "--engine", "rten"]
            .map(str::to_owned)
            .into()
    },
    ..NGRAM
};

const PERCENTILES: Case = Case {
    arguments: |dir| {
        train(dir);
        ["--model", "a.ngram", "--perplexity-percentiles", "10,90"]
            .map(str::to_owned)
            .into()
    },
    ..NGRAM
};

const TRAIN: Case = Case {
    arguments: |_| ["--train", "/dev/null"].map(str::to_owned).into(),
    input: |_| fixtures::sentence_records(4),
    ..NGRAM
};

mod ngram {
    realsyn_behaviour::behaves!(map, super::NGRAM);
}

mod causal {
    realsyn_behaviour::behaves!(map, super::CAUSAL);
}

mod percentiles {
    realsyn_behaviour::behaves!(fold, super::PERCENTILES);
}

mod train {
    realsyn_behaviour::behaves!(fold, super::TRAIN);
}
