//! A list in order that mostly grows at its end and is used up at its front.

/// Items in order, as one slice. The first is taken away without moving the others, one in the middle by moving the nearer side.
#[derive(Debug)]
pub(crate) struct Line<T> {
    items: Vec<T>,
    // How many at the front were taken away; they are dropped many at a time.
    gone: usize,
}

/// So many are left lying at least, or short lines would be moved all the time.
const GONE_MIN: usize = 32;

impl<T> Line<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        self.items.get(self.gone..).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len().saturating_sub(self.gone)
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.items.get_mut(self.gone.saturating_add(place))
    }

    pub(crate) fn insert(&mut self, place: usize, item: T) {
        self.items.insert(self.gone.saturating_add(place), item);
    }
}

impl<T: Clone> Line<T> {
    pub(crate) fn remove(&mut self, place: usize) -> Option<T> {
        let at = self.gone.saturating_add(place);
        if place > self.len().saturating_sub(place) && place < self.len() {
            return Some(self.items.remove(at));
        }
        let before = self.items.get_mut(self.gone..=at)?;
        before.rotate_right(1);
        let item = before.first().cloned();
        self.gone = self.gone.saturating_add(1);
        if self.gone >= GONE_MIN && self.gone >= self.len() {
            self.items.drain(..self.gone);
            self.gone = 0;
        }
        item
    }
}

impl<T> From<Vec<T>> for Line<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, gone: 0 }
    }
}

impl<T: Clone> Clone for Line<T> {
    fn clone(&self) -> Self {
        Self::from(self.as_slice().to_vec())
    }
}

impl<T: PartialEq> PartialEq for Line<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Eq> Eq for Line<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_vector(start in prop::collection::vec(any::<u16>(), 0..100), steps in prop::collection::vec((0u8..4, any::<u16>()), 0..300)) {
            let (mut line, mut vector) = (Line::from(start.clone()), start);
            for (what, number) in steps {
                let place = usize::from(number) % (vector.len() + 1);
                match what {
                    0 => {
                        line.insert(place, number);
                        vector.insert(place, number);
                    }
                    1 => prop_assert_eq!(line.remove(0), (!vector.is_empty()).then(|| vector.remove(0))),
                    2 => prop_assert_eq!(line.remove(place), (place < vector.len()).then(|| vector.remove(place))),
                    _ => prop_assert_eq!(line.get_mut(place), vector.get_mut(place)),
                }
                prop_assert_eq!((line.as_slice(), line.len()), (vector.as_slice(), vector.len()));
                prop_assert_eq!(&line.clone(), &line);
            }
        }
    }
}
