//! Models small enough to write by hand, as the bytes of an ONNX `ModelProto` (onnx.proto3, opset 17).
//!
//! A classifier, `GlobalAveragePool`, then `Flatten`: the logits of a picture are the means of its three channels. A causal
//! language model: the logits of a token are a row of one table, chosen by the token, and a row of another, chosen by its
//! position.

/// A length-delimited field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend_from_slice(bytes);
    out
}

/// A small number.
fn number(field: u8, value: u8) -> Vec<u8> {
    assert!(value < 0x80);
    vec![field << 3, value]
}

/// A `ValueInfoProto` of single precision; a dimension is a number or, where it is 0, the batch.
fn value(name: &str, dims: &[u8]) -> Vec<u8> {
    let dim = |&size: &u8| {
        field(
            1,
            &if size == 0 {
                field(2, b"batch")
            } else {
                number(1, size)
            },
        )
    };
    let shape: Vec<u8> = dims.iter().flat_map(dim).collect();
    let tensor = [number(1, 1), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn node(kind: &str, input: &str, output: &str) -> Vec<u8> {
    [
        field(1, input.as_bytes()),
        field(2, output.as_bytes()),
        field(4, kind.as_bytes()),
    ]
    .concat()
}

/// The file, for pictures of `side` pixels.
pub(crate) fn channel_classifier(side: u8) -> Vec<u8> {
    let graph = [
        field(1, &node("GlobalAveragePool", "pixel_values", "means")),
        field(1, &node("Flatten", "means", "logits")),
        field(2, b"channels"),
        field(11, &value("pixel_values", &[0, 3, side, side])),
        field(12, &value("logits", &[0, 3])),
    ]
    .concat();
    let opset = [field(1, b""), number(2, 17)].concat();
    [number(1, 8), field(7, &graph), field(8, &opset)].concat()
}

/// A tensor of `rows` equal rows of single precision.
fn table(name: &str, rows: &[Vec<f32>]) -> Vec<u8> {
    let values: Vec<u8> = rows
        .iter()
        .flatten()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let side = |length: usize| number(1, u8::try_from(length).unwrap());
    [
        side(rows.len()),
        side(rows[0].len()),
        number(2, 1),
        field(8, name.as_bytes()),
        field(9, &values),
    ]
    .concat()
}

/// An input or output whose dimensions are numbers or names.
fn named(name: &str, kind: u8, dims: &[&str]) -> Vec<u8> {
    let dim = |dim: &&str| {
        let size = dim
            .parse()
            .map_or_else(|_| field(2, dim.as_bytes()), |size| number(1, size));
        field(1, &size)
    };
    let shape: Vec<u8> = dims.iter().flat_map(dim).collect();
    let tensor = [number(1, kind), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn operator(kind: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs
        .iter()
        .flat_map(|input| field(1, input.as_bytes()))
        .collect();
    [
        inputs,
        field(2, output.as_bytes()),
        field(4, kind.as_bytes()),
    ]
    .concat()
}

/// A causal language model with the inputs of one whose layers keep a past: its logits are
/// `by_token[token] + by_position[position] + Σ past`, and the past is empty.
pub(crate) fn causal_lm(by_token: &[Vec<f32>], by_position: &[Vec<f32>]) -> Vec<u8> {
    // keepdims = 0: AttributeProto of type INT, whose field is the 20th.
    let keepdims = [field(1, b"keepdims"), number(3, 0), vec![0xa0, 0x01, 0x02]].concat();
    let sum = [
        operator("ReduceSum", &["past_key_values.0.key"], "nothing"),
        field(5, &keepdims),
    ]
    .concat();
    let width = by_token[0].len().to_string();
    let graph = [
        field(1, &operator("Gather", &["tokens", "input_ids"], "a")),
        field(1, &operator("Gather", &["positions", "position_ids"], "b")),
        field(1, &operator("Add", &["a", "b"], "c")),
        field(1, &sum),
        field(1, &operator("Add", &["c", "nothing"], "logits")),
        field(2, b"tokens"),
        field(5, &table("tokens", by_token)),
        field(5, &table("positions", by_position)),
        field(11, &named("input_ids", 7, &["batch", "tokens"])),
        field(11, &named("position_ids", 7, &["batch", "tokens"])),
        field(
            11,
            &named("past_key_values.0.key", 1, &["batch", "2", "past", "4"]),
        ),
        field(12, &named("logits", 1, &["batch", "tokens", &width])),
    ]
    .concat();
    let opset = [field(1, b""), number(2, 17)].concat();
    [number(1, 8), field(7, &graph), field(8, &opset)].concat()
}
