//! Whether an answer is as expected.

use serde_json::Value;

/// Where an answer differs from what is expected of it. Of an object the fields that are expected count, at any depth; a list has
/// to have as many members, each as expected; everything else has to be the same.
pub fn disagreement(expected: &Value, answer: &Value) -> Option<String> {
    differs(expected, answer, "")
}

fn differs(expected: &Value, answer: &Value, at: &str) -> Option<String> {
    match (expected, answer) {
        (Value::Object(expected), Value::Object(answer)) => expected.iter().find_map(|(field, value)| {
            let at = format!("{at}.{field}");
            match answer.get(field) {
                Some(answered) => differs(value, answered, &at),
                None => Some(format!("{at}: {value} was expected, there is none")),
            }
        }),
        (Value::Array(expected), Value::Array(answer)) if expected.len() == answer.len() => {
            (0..).zip(expected.iter().zip(answer)).find_map(|(n, (expected, answer))| differs(expected, answer, &format!("{at}[{n}]")))
        }
        (Value::Array(expected), Value::Array(answer)) => {
            Some(format!("{at}: {} were expected, there are {}: {answer:?}", expected.len(), answer.len()))
        }
        _ => (expected != answer).then(|| format!("{at}: {expected} was expected, it is {answer}")),
    }
}

#[cfg(test)]
mod tests {
    use super::disagreement;
    use serde_json::json;

    #[test]
    fn what_is_not_expected_does_not_count() {
        let answer = json!({"free": "5", "batches": [{"left": "5", "held": "0"}, {"left": "0", "held": "1"}], "next": null});
        for good in [json!({}), json!({"free": "5", "next": null}), json!({"batches": [{"left": "5"}, {"held": "1"}]})] {
            assert_eq!(disagreement(&good, &answer), None, "{good}");
        }
    }

    #[test]
    fn anything_else_does() {
        let answer = json!({"free": "5", "batches": [{"left": "5", "held": "0"}, {"left": "0", "held": "1"}], "next": null});
        for wrong in [
            json!({"free": "6"}),
            json!({"free": 5}),
            json!({"fre": "5"}),
            json!({"debt": null}),
            json!({"next": "0"}),
            json!({"batches": []}),
            json!({"batches": [{"left": "5"}]}),
            json!({"batches": [{"left": "5"}, {"left": "0"}, {}]}),
            json!({"batches": [{"left": "5"}, {"left": "1"}]}),
            json!({"batches": [{"left": "5"}, {"lapsed": "0"}]}),
            json!({"batches": {"left": "5"}}),
        ] {
            assert!(disagreement(&wrong, &answer).is_some(), "{wrong}");
        }
    }
}
