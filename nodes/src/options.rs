//! Options of a model and settings of a conditioning, read back as nodes wrote them. What is not there
//! is not there; what is there and is no value of its kind is told.

use std::collections::BTreeMap;

use longtake_graph::literal::describe;
use longtake_graph::{Sentence, say};
use serde_json::{Map, Value as Json};

/// Values by name.
pub trait Named {
    /// The value of that name.
    fn value(&self, name: &str) -> Option<&Json>;
}

impl Named for BTreeMap<String, Json> {
    fn value(&self, name: &str) -> Option<&Json> {
        self.get(name)
    }
}

impl Named for Map<String, Json> {
    fn value(&self, name: &str) -> Option<&Json> {
        self.get(name)
    }
}

/// Values that a node wrote under one name each, or under one name together.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    values: &'a dyn Named,
    /// The option that they are part of.
    part_of: Option<&'a str>,
}

impl<'a> Options<'a> {
    /// Of a model, or the settings of a conditioning.
    pub fn of(values: &'a BTreeMap<String, Json>) -> Self {
        Self {
            values,
            part_of: None,
        }
    }

    /// The values that stand together under `name`, if any do.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn object(&self, name: &'a str) -> Result<Option<Self>, Sentence> {
        let values = self.read(name, &say!("an object", "オブジェクト"), Json::as_object)?;
        Ok(values.map(|values| Options {
            values,
            part_of: Some(name),
        }))
    }

    /// A list.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn list(&self, name: &str) -> Result<Option<&'a [Json]>, Sentence> {
        let list = self.read(name, &say!("a list", "リスト"), Json::as_array)?;
        Ok(list.map(Vec::as_slice))
    }

    /// A real number.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Sentence> {
        self.read(name, &say!("a number", "数値"), Json::as_f64)
    }

    /// A whole number from 0 on.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn count(&self, name: &str) -> Result<Option<usize>, Sentence> {
        let expected = say!("a whole number from 0 on", "0 以上の整数");
        self.read(name, &expected, |it| usize::try_from(it.as_u64()?).ok())
    }

    /// True or false.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn truth(&self, name: &str) -> Result<Option<bool>, Sentence> {
        self.read(name, &say!("true or false", "真偽値"), Json::as_bool)
    }

    /// A text.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Sentence> {
        self.read(name, &say!("a text", "テキスト"), Json::as_str)
    }

    /// A value that has to be there, since it was written with others.
    ///
    /// # Errors
    /// It is not there, or what reading it says.
    pub fn needed<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self, &str) -> Result<Option<T>, Sentence>,
    ) -> Result<T, Sentence> {
        read(self, name)?.ok_or_else(|| {
            let found = say!("nothing", "なし");
            self.wrong(name, &say!("a value", "値"), &found)
        })
    }

    /// That `expected` should stand under `name` and `found` does.
    pub fn wrong(&self, name: &str, expected: &Sentence, found: &Sentence) -> Sentence {
        let name = match self.part_of {
            Some(whole) => format!("{whole}.{name}"),
            None => name.to_owned(),
        };
        say!(
            "option `{name}`: expected {expected}, found {found}; it is set by a node before this one, \
             so put that node in anew",
            "オプション「{name}」には{expected}が必要です(現在: {found})。前のノードが設定した値なので、\
             そのノードを置き直してください。";
            expected, found
        )
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &Sentence,
        read: impl FnOnce(&'a Json) -> Option<T>,
    ) -> Result<Option<T>, Sentence> {
        let values: &'a dyn Named = self.values;
        let Some(value) = values.value(name) else {
            return Ok(None);
        };
        let known = read(value).map(Some);
        known.ok_or_else(|| self.wrong(name, expected, &describe(value)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every reader, with what it reads and what it refuses.
    #[test]
    fn absent_is_absent_and_malformed_is_told() {
        let read = |value: Json, kind: &str| -> Result<bool, Sentence> {
            let all: BTreeMap<String, Json> = [("it".to_owned(), value)].into();
            let options = Options::of(&all);
            match kind {
                "number" => options.number("it").map(|it| it.is_some()),
                "count" => options.count("it").map(|it| it.is_some()),
                "truth" => options.truth("it").map(|it| it.is_some()),
                "text" => options.text("it").map(|it| it.is_some()),
                "list" => options.list("it").map(|it| it.is_some()),
                "object" => options.object("it").map(|it| it.is_some()),
                other => panic!("{other}"),
            }
        };
        let kinds = [
            ("number", json!(0.5)),
            ("count", json!(3)),
            ("truth", json!(false)),
            ("text", json!("x")),
            ("list", json!([])),
            ("object", json!({})),
        ];
        for (kind, good) in &kinds {
            assert_eq!(read(good.clone(), kind), Ok(true), "{kind}");
            for (other, bad) in &kinds {
                // A whole number is a number too.
                if other == kind || (*kind, *other) == ("number", "count") {
                    continue;
                }
                let why = read(bad.clone(), kind).unwrap_err();
                assert!(why.en.contains("`it`"), "{why}");
                assert_eq!(why.lacks(), None);
            }
            assert!(read(Json::Null, kind).is_err(), "{kind}");
        }
        assert!(read(json!(-1), "count").is_err() && read(json!(1.5), "count").is_err());
        let none = BTreeMap::new();
        assert_eq!(Options::of(&none).number("it"), Ok(None));
        let why = Options::of(&none)
            .needed("it", Options::number)
            .unwrap_err();
        assert!(why.en.contains("found nothing"), "{why}");
    }

    #[test]
    fn values_that_stand_together_are_named_together() {
        let all: BTreeMap<String, Json> =
            [("windows".to_owned(), json!({"length": "long"}))].into();
        let windows = Options::of(&all).object("windows").unwrap().unwrap();
        let why = windows.count("length").unwrap_err();
        assert!(
            why.en.starts_with(
                "option `windows.length`: expected a whole number from 0 on, found the text \"long\""
            ),
            "{why}"
        );
        assert_eq!(why.lacks(), None);
    }
}
