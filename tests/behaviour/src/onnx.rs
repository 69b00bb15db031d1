//! A classifier small enough to write by hand: the logits of a picture are the means of its three channels.
//!
//! The bytes are an ONNX `ModelProto` (onnx.proto3, opset 17): `GlobalAveragePool`, then `Flatten`.

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
