//! ONNX Runtime: models in half precision, and a device that is not there.
//!
//! The library is that of `ORT_DYLIB_PATH` or of the starter model in its cache; without one nothing is checked, unless
//! `REALSYN_REQUIRE_ALL` asks that everything is.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where something is missing, or says that it does not check"
)]

use std::path::{Path, PathBuf};

use half::f16;
use realsyn_behaviour::fixtures::{image_records, model};
use realsyn_behaviour::{Case, Scene};
use realsyn_record::{Record, Sidecars};

fn arguments(dir: &Path) -> Vec<String> {
    model(&dir.join("model"));
    ["--model", "model"].map(str::to_owned).into()
}

const CASE: Case = Case {
    name: "rs-embed",
    program: env!("CARGO_BIN_EXE_rs-embed"),
    arguments,
    input: |dir| image_records(dir, 20),
    status: &[0],
};

fn library() -> Option<String> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let starter = cache.map(|cache| cache.join("realsyn/starter/lib/libonnxruntime.so"));
    let named = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    let found = named.or(starter).filter(|path| path.exists());
    if found.is_none() {
        assert!(
            std::env::var_os("REALSYN_REQUIRE_ALL").is_none(),
            "no ONNX Runtime"
        );
        println!("no ONNX Runtime: not checked");
    }
    found.map(|path| path.to_str().unwrap().to_owned())
}

/// A field of a protocol buffer: its number, and a varint or bytes.
enum Field<'a> {
    Number(u64, u64),
    Bytes(u64, &'a [u8]),
    /// Four bytes.
    Word(&'a [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Rewrites a message field by field.
fn rewrite(
    mut bytes: &[u8],
    mut change: impl FnMut(u64, &[u8]) -> Option<Vec<u8>>,
    is_kind: Option<u64>,
) -> Vec<u8> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(key >> 3, varint(&mut bytes)),
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (own, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(key >> 3, own)
            }
            _ => {
                let (own, rest) = bytes.split_at(4);
                bytes = rest;
                Field::Word(own)
            }
        };
        put_varint(&mut out, key);
        match field {
            // FLOAT is 1, FLOAT16 is 10.
            Field::Number(number, 1) if is_kind == Some(number) => out.push(10),
            Field::Number(_, value) => put_varint(&mut out, value),
            Field::Bytes(number, own) => {
                let own = change(number, own).unwrap_or_else(|| own.to_vec());
                put_varint(&mut out, own.len() as u64);
                out.extend(own);
            }
            Field::Word(own) => out.extend(own),
        }
    }
    out
}

/// The graph of an ONNX file with its weights, its inputs and its outputs in half precision.
fn halved(onnx: &[u8]) -> Vec<u8> {
    let tensor = |bytes: &[u8]| {
        let mut is_float = false;
        let mut rest = bytes;
        // data_type stands before the name and the data.
        while !rest.is_empty() {
            let key = varint(&mut rest);
            match key & 7 {
                0 => is_float |= varint(&mut rest) == 1 && key >> 3 == 2,
                _ => break,
            }
        }
        let narrow = |number: u64, own: &[u8]| {
            (is_float && number == 9).then(|| {
                own.as_chunks::<4>()
                    .0
                    .iter()
                    .flat_map(|value| f16::from_f32(f32::from_le_bytes(*value)).to_le_bytes())
                    .collect()
            })
        };
        rewrite(bytes, narrow, Some(2))
    };
    // ValueInfoProto.type (2) .tensor_type (1) .elem_type (1)
    let end = |bytes: &[u8]| {
        let kind = |number, own: &[u8]| (number == 1).then(|| rewrite(own, |_, _| None, Some(1)));
        rewrite(
            bytes,
            |number, own| (number == 2).then(|| rewrite(own, kind, None)),
            None,
        )
    };
    let graph = |number: u64, own: &[u8]| match number {
        5 => Some(tensor(own)),
        11 | 12 => Some(end(own)),
        _ => None,
    };
    rewrite(
        onnx,
        |number, own| (number == 7).then(|| rewrite(own, graph, None)),
        None,
    )
}

fn vectors(lines: &[String]) -> Vec<Vec<f32>> {
    let vector = |line: &String| {
        let mut vector = Vec::new();
        let record = Record::parse(line.as_bytes()).unwrap();
        let embedding = record.embedding().unwrap().unwrap();
        embedding.read(&mut Sidecars::new(), &mut vector).unwrap();
        vector
    };
    lines.iter().map(vector).collect()
}

fn embedded(scene: &Scene, more: &[&str]) -> Vec<Vec<f32>> {
    vectors(&scene.run(more, scene.input.as_bytes()).expect(&[0]).lines())
}

#[test]
fn a_model_in_half_precision_gives_nearly_the_same_vectors() {
    let Some(library) = library() else { return };
    let scene = CASE.scene();
    let onnx = scene.read("model/onnx/vision_model.onnx");
    let half = halved(&onnx);
    assert!(half.len() < onnx.len() * 3 / 4, "the weights are narrower");
    scene.write("model/onnx/vision_model_fp16.onnx", &half);
    let ort = ["--engine", "ort", "--onnxruntime", &library];
    let single = embedded(&scene, &ort);
    let mut differs = false;
    for jobs in ["-j1", "-j3"] {
        let flags = [&ort[..], &["--weights", "fp16", jobs]].concat();
        let narrow = embedded(&scene, &flags);
        assert_eq!(narrow.len(), single.len());
        for (one, other) in single.iter().zip(&narrow) {
            let cosine: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
            assert!(cosine > 0.999, "{cosine}");
            differs |= one != other;
        }
    }
    assert!(differs, "the other graph was run");
}

#[test]
fn cuda_that_is_not_there_is_an_error() {
    let scene = CASE.scene();
    let flags = ["--device", "cuda", "--engine", "rten"];
    let refused = scene.run(&flags, scene.input.as_bytes()).expect(&[2]);
    assert!(
        refused.err.contains("CUDA needs ONNX Runtime"),
        "{}",
        refused.err
    );
    let Some(library) = library() else { return };
    if Path::new("/dev/nvidiactl").exists() {
        println!("a card is there: not checked");
        return;
    }
    let flags = ["--device", "cuda", "--onnxruntime", &library];
    let refused = scene.run(&flags, scene.input.as_bytes()).expect(&[2]);
    assert!(refused.err.contains("no CUDA"), "{}", refused.err);
    assert!(refused.out.is_empty());
}
