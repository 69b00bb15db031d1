//! The few messages of ONNX's protocol buffers that a model file needs, encoded by hand.
//!
//! The wire format is a dozen rules (varints, fixed 32-bit words, length-prefixed bytes), so it needs neither a
//! protocol compiler nor a library. Field numbers: `onnx/onnx.proto` of ONNX 1.12 (IR version 8, operator set 17).
//!
//! Memory: nodes are held encoded; weights are borrowed, and written one at a time.

use std::borrow::Cow;
use std::io::{self, Write};

/// ONNX's `TensorProto.DataType`.
#[derive(Clone, Copy)]
pub(crate) enum Type {
    Float = 1,
    Int64 = 7,
}

/// A length-delimited message under construction.
#[derive(Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
        self
    }

    fn int(self, field: u64, value: i64) -> Self {
        self.varint(field << 3).varint(value.cast_unsigned())
    }

    fn size(self, field: u64, value: usize) -> Self {
        self.varint(field << 3).varint(value as u64)
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self = self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// A field's key and the length of the bytes that follow it.
    fn header(self, field: u64, len: usize) -> Self {
        self.varint(field << 3 | 2).varint(len as u64)
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self = self.header(field, value.len());
        self.0.extend_from_slice(value);
        self
    }

    fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }
}

/// An operator's attribute.
pub(crate) enum Attribute<'a> {
    Int(&'a str, i64),
    Ints(&'a str, &'a [i64]),
    Float(&'a str, f32),
}

impl Attribute<'_> {
    fn encode(&self) -> Message {
        let named = |name: &str| Message::default().bytes(1, name.as_bytes());
        match self {
            Self::Float(name, value) => named(name).float(2, *value).int(20, 1),
            Self::Int(name, value) => named(name).int(3, *value).int(20, 2),
            Self::Ints(name, values) => values
                .iter()
                .fold(named(name), |m, value| m.int(8, *value))
                .int(20, 7),
        }
    }
}

/// One dimension of an input or output.
pub(crate) enum Dim<'a> {
    Fixed(usize),
    Named(&'a str),
}

/// A constant of the graph.
enum Data<'a> {
    Floats(Cow<'a, [f32]>),
    /// A matrix of these rows and columns, to be written as its transpose.
    Transposed(&'a [f32], usize, usize),
    Ints(Vec<i64>),
}

impl Data<'_> {
    fn size(&self) -> usize {
        match self {
            Self::Floats(values) => values.len() * 4,
            Self::Transposed(values, ..) => values.len() * 4,
            Self::Ints(values) => values.len() * 8,
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Floats(values) => write_floats(values.iter().copied(), out),
            Self::Transposed(values, rows, columns) => {
                let order = (0..*columns)
                    .flat_map(|column| (0..*rows).map(move |row| row * columns + column));
                write_floats(order.map(|at| values[at]), out)
            }
            Self::Ints(values) => values
                .iter()
                .try_for_each(|value| out.write_all(&value.to_le_bytes())),
        }
    }
}

fn write_floats(mut values: impl Iterator<Item = f32>, out: &mut impl Write) -> io::Result<()> {
    values.try_for_each(|value| out.write_all(&value.to_le_bytes()))
}

struct Initializer<'a> {
    /// The tensor's message up to its data.
    head: Message,
    data: Data<'a>,
}

/// A graph under construction, and its constants.
pub(crate) struct Graph<'a> {
    name: &'static str,
    nodes: Message,
    ends: Message,
    initializers: Vec<Initializer<'a>>,
    count: usize,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            nodes: Message::default(),
            ends: Message::default(),
            initializers: Vec::new(),
            count: 0,
        }
    }

    /// Declares an input and gives its name back.
    pub(crate) fn input(&mut self, name: &str, kind: Type, shape: &[Dim<'_>]) -> String {
        self.end(11, name, kind, shape);
        name.to_owned()
    }

    /// Declares `value` as the output `name`.
    pub(crate) fn output(&mut self, value: &str, name: &str, shape: &[Dim<'_>]) {
        self.node("Identity", &[value], name, &[]);
        self.end(12, name, Type::Float, shape);
    }

    fn end(&mut self, field: u64, name: &str, kind: Type, shape: &[Dim<'_>]) {
        let dims = shape.iter().fold(Message::default(), |m, dim| {
            let dim = match dim {
                Dim::Fixed(size) => Message::default().size(1, *size),
                Dim::Named(name) => Message::default().bytes(2, name.as_bytes()),
            };
            m.message(1, &dim)
        });
        let tensor = Message::default().int(1, kind as i64).message(2, &dims);
        let info = Message::default()
            .bytes(1, name.as_bytes())
            .message(2, &Message::default().message(1, &tensor));
        self.ends = std::mem::take(&mut self.ends).message(field, &info);
    }

    /// Adds an operator with one output and gives that output's name.
    pub(crate) fn op(&mut self, op: &str, inputs: &[&str], attributes: &[Attribute<'_>]) -> String {
        let name = self.fresh(op);
        self.node(op, inputs, &name, attributes);
        name
    }

    /// A name that no other value has.
    fn fresh(&mut self, stem: &str) -> String {
        self.count += 1;
        format!("{stem}_{}", self.count)
    }

    fn node(&mut self, op: &str, inputs: &[&str], output: &str, attributes: &[Attribute<'_>]) {
        let mut node = inputs
            .iter()
            .fold(Message::default(), |m, input| m.bytes(1, input.as_bytes()));
        node = node
            .bytes(2, output.as_bytes())
            .bytes(3, format!("/{output}").as_bytes())
            .bytes(4, op.as_bytes());
        node = attributes
            .iter()
            .fold(node, |m, attribute| m.message(5, &attribute.encode()));
        self.nodes = std::mem::take(&mut self.nodes).message(1, &node);
    }

    /// Adds f32 values under a name of the caller's.
    pub(crate) fn floats(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl Into<Cow<'a, [f32]>>,
    ) -> String {
        self.initializer(name, Type::Float, shape, Data::Floats(values.into()))
    }

    /// Adds a matrix `[rows, columns]` as its transpose.
    pub(crate) fn transposed(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
        values: &'a [f32],
    ) -> String {
        self.initializer(
            name,
            Type::Float,
            &[columns, rows],
            Data::Transposed(values, rows, columns),
        )
    }

    /// Adds a scalar.
    pub(crate) fn scalar(&mut self, value: f32) -> String {
        let name = self.fresh("scalar");
        self.floats(&name, &[], vec![value])
    }

    /// Adds a list of integers (shapes, axes, indices).
    pub(crate) fn ints(&mut self, values: &[i64]) -> String {
        let name = self.fresh("ints");
        self.initializer(
            &name,
            Type::Int64,
            &[values.len()],
            Data::Ints(values.to_vec()),
        )
    }

    /// Adds one integer as a scalar.
    pub(crate) fn int(&mut self, value: i64) -> String {
        let name = self.fresh("int");
        self.initializer(&name, Type::Int64, &[], Data::Ints(vec![value]))
    }

    fn initializer(&mut self, name: &str, kind: Type, shape: &[usize], data: Data<'a>) -> String {
        let head = shape
            .iter()
            .fold(Message::default(), |m, size| m.size(1, *size));
        let head = head
            .int(2, kind as i64)
            .bytes(8, name.as_bytes())
            .header(9, data.size());
        self.initializers.push(Initializer { head, data });
        name.to_owned()
    }

    /// Writes the whole model file.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        // A message is preceded by its length, so all lengths are settled before the first weight is written.
        let mut graph = Message(self.nodes.0.clone()).bytes(2, self.name.as_bytes());
        graph.0.extend_from_slice(&self.ends.0);
        let sized = |item: &Initializer<'_>| {
            Message::default()
                .header(5, item.head.0.len() + item.data.size())
                .0
                .len()
                + item.head.0.len()
                + item.data.size()
        };
        let len = graph.0.len() + self.initializers.iter().map(sized).sum::<usize>();
        let opset = Message::default().bytes(1, b"").int(2, 17);
        let model = Message::default()
            .int(1, 8)
            .bytes(2, b"realsyn")
            .message(8, &opset)
            .header(7, len);
        out.write_all(&model.0)?;
        out.write_all(&graph.0)?;
        for item in &self.initializers {
            let header = Message::default().header(5, item.head.0.len() + item.data.size());
            out.write_all(&header.0)?;
            out.write_all(&item.head.0)?;
            item.data.write(out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_format_is_protocol_buffers_own() {
        // From the encoding guide: field 1 = 150 is 08 96 01; field 2 = "testing" is 12 07 74….
        assert_eq!(Message::default().int(1, 150).0, [0x08, 0x96, 0x01]);
        assert_eq!(
            Message::default().bytes(2, b"testing").0,
            b"\x12\x07testing"
        );
        assert_eq!(
            Message::default().int(1, -1).0,
            [8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]
        );
        assert_eq!(Message::default().float(2, 1.0).0, [0x15, 0, 0, 0x80, 0x3f]);
    }

    #[test]
    fn a_transposed_matrix_is_written_column_by_column() {
        let mut out = Vec::new();
        Data::Transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3)
            .write(&mut out)
            .unwrap();
        let floats: Vec<_> = out
            .chunks(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        assert_eq!(floats, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
