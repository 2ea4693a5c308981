//! The canonical form (RFC 8785) of what rows and decisions hold, written in one pass.
//!
//! Strings, integers below 2^53, lists and structs: that is all there is in them. Their fields stand sorted
//! almost always, so nothing is put aside to be sorted later. Anything else is handed back as [`Beyond`], for
//! the general encoder.

use crate::model::limits;
use serde::ser::{self, Impossible, Serialize};
use std::fmt;

/// The value holds something that is not written here.
#[derive(Debug)]
pub(super) struct Beyond;

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither text, integer, list nor struct")
    }
}

impl std::error::Error for Beyond {}

impl ser::Error for Beyond {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Beyond
    }
}

/// The canonical form of a value.
pub(super) fn to_string<T: Serialize>(value: &T) -> Result<String, Beyond> {
    let mut out = Out {
        text: String::with_capacity(256),
        fields: Vec::new(),
    };
    value.serialize(&mut out)?;
    Ok(out.text)
}

struct Out {
    text: String,
    /// Where the fields of the objects that are open begin.
    fields: Vec<usize>,
}

impl Out {
    fn string(&mut self, text: &str) {
        self.text.push('"');
        let mut rest = text;
        let special = |b: &u8| *b < b' ' || *b == b'"' || *b == b'\\';
        while let Some(at) = rest.as_bytes().iter().position(special) {
            // What is special is one byte of ASCII, so both sides are whole characters.
            let (plain, more) = rest.split_at(at);
            self.text.push_str(plain);
            self.escape(more.as_bytes()[0]);
            rest = &more[1..];
        }
        self.text.push_str(rest);
        self.text.push('"');
    }

    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' => '"',
            b'\\' => '\\',
            0x08 => 'b',
            b'\t' => 't',
            b'\n' => 'n',
            0x0c => 'f',
            b'\r' => 'r',
            _ => {
                self.text.push_str(&format!("\\u{byte:04x}"));
                return;
            }
        };
        self.text.push('\\');
        self.text.push(short);
    }

    fn integer(&mut self, number: u64) -> Result<(), Beyond> {
        if number >= limits::INTEGER {
            return Err(Beyond);
        }
        self.text.push_str(&number.to_string());
        Ok(())
    }
}

/// The key of a field that begins with it.
fn key_of(field: &str) -> &str {
    let inner = &field[1..];
    &inner[..inner.find('"').unwrap_or(inner.len())]
}

/// A list or an object that is being written.
pub(super) struct Open<'o> {
    out: &'o mut Out,
    /// Where its contents begin.
    start: usize,
    /// The first of its fields.
    first: usize,
}

impl<'o> Open<'o> {
    fn new(out: &'o mut Out, bracket: char) -> Self {
        out.text.push(bracket);
        let (start, first) = (out.text.len(), out.fields.len());
        Self { out, start, first }
    }

    fn comma(&mut self) {
        if self.out.text.len() > self.start {
            self.out.text.push(',');
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Beyond> {
        if !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Beyond);
        }
        self.comma();
        self.out.fields.push(self.out.text.len());
        self.out.string(key);
        self.out.text.push(':');
        value.serialize(&mut *self.out)
    }

    /// Closes an object, its fields in the order of their keys.
    fn close(self) -> Result<(), Beyond> {
        let Out { text, fields } = self.out;
        let own = &fields[self.first..];
        let key = |at: usize| key_of(&text[at..]);
        if !own.is_sorted_by(|a, b| key(*a) < key(*b)) {
            let ends = own.iter().skip(1).map(|next| next - 1);
            let ends = ends.chain([text.len()]);
            let mut parts: Vec<&str> = own.iter().zip(ends).map(|(a, b)| &text[*a..b]).collect();
            parts.sort_by_key(|part| key_of(part));
            if parts.windows(2).any(|two| key_of(two[0]) == key_of(two[1])) {
                return Err(Beyond);
            }
            let sorted = parts.join(",");
            text.truncate(self.start);
            text.push_str(&sorted);
        }
        fields.truncate(self.first);
        text.push('}');
        Ok(())
    }
}

impl ser::SerializeStruct for Open<'_> {
    type Ok = ();
    type Error = Beyond;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Beyond> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Beyond> {
        self.close()
    }
}

impl ser::SerializeSeq for Open<'_> {
    type Ok = ();
    type Error = Beyond;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Beyond> {
        self.comma();
        value.serialize(&mut *self.out)
    }

    fn end(self) -> Result<(), Beyond> {
        self.out.text.push(']');
        Ok(())
    }
}

/// Methods for what none of our types holds.
macro_rules! beyond {
    ($($method:ident($type:ty);)*) => {
        $(fn $method(self, _: $type) -> Result<(), Beyond> {
            Err(Beyond)
        })*
    };
}

impl<'o> ser::Serializer for &'o mut Out {
    type Ok = ();
    type Error = Beyond;
    type SerializeSeq = Open<'o>;
    type SerializeStruct = Open<'o>;
    type SerializeTuple = Impossible<(), Beyond>;
    type SerializeTupleStruct = Impossible<(), Beyond>;
    type SerializeTupleVariant = Impossible<(), Beyond>;
    type SerializeMap = Impossible<(), Beyond>;
    type SerializeStructVariant = Impossible<(), Beyond>;

    beyond! {
        serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64);
        serialize_f32(f32); serialize_f64(f64); serialize_char(char); serialize_bytes(&[u8]);
        serialize_unit_struct(&'static str);
    }

    fn serialize_bool(self, value: bool) -> Result<(), Beyond> {
        self.text.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Beyond> {
        self.integer(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Beyond> {
        self.integer(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Beyond> {
        self.integer(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Beyond> {
        self.integer(value)
    }

    fn serialize_str(self, value: &str) -> Result<(), Beyond> {
        self.string(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Beyond> {
        self.text.push_str("null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Beyond> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Beyond> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Beyond> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Beyond> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Beyond> {
        Err(Beyond)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'o>, Beyond> {
        Ok(Open::new(self, '['))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'o>, Beyond> {
        Ok(Open::new(self, '{'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Beyond> {
        Err(Beyond)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Beyond> {
        Err(Beyond)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Beyond> {
        Err(Beyond)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Beyond> {
        Err(Beyond)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Beyond> {
        Err(Beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(serde::Serialize)]
    struct Inner {
        b: u64,
        a: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ab: Option<bool>,
    }

    #[derive(serde::Serialize)]
    #[serde(tag = "op")]
    enum Tagged {
        #[serde(rename = "x.y")]
        One(Outer),
    }

    #[derive(serde::Serialize)]
    struct Outer {
        z: Vec<Inner>,
        pq: String,
        p: Vec<String>,
    }

    fn general<T: Serialize>(value: &T) -> String {
        serde_json_canonicalizer::to_string(value).expect("JSON")
    }

    proptest! {
        #[test]
        fn it_writes_what_the_general_encoder_writes(
            texts in prop::collection::vec(any::<String>(), 0..4),
            rest in ".*",
            odd in prop::collection::vec(0u8..128, 0..40),
            number in 0..limits::INTEGER,
            flag in any::<Option<bool>>(),
        ) {
            let inner = |a| Inner { b: number, a, ab: flag };
            let value = Tagged::One(Outer {
                z: texts.iter().cloned().map(Some).chain([None]).map(inner).collect(),
                pq: rest,
                p: [texts, vec![String::from_utf8_lossy(&odd).into_owned()]].concat(),
            });
            prop_assert_eq!(to_string(&value).expect("nothing beyond"), general(&value));
        }
    }

    #[test]
    fn what_is_beyond_it_is_handed_back() {
        assert!(to_string(&limits::INTEGER).is_err());
        assert!(to_string(&1.5f64).is_err());
        assert!(to_string(&-1i64).is_err());
        assert!(to_string(&std::collections::BTreeMap::from([("a", 1u8)])).is_err());
    }
}
