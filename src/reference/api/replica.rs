//! Writes of the store in, what readers see of them a while later out.

use std::collections::VecDeque;
use std::time::Instant;

use super::Product;

/// A copy of the store that follows it late.
#[derive(Debug)]
pub(super) struct Replica {
    shown: Vec<Product>,
    coming: VecDeque<(Instant, Vec<Product>)>,
}

impl Replica {
    /// Takes what is there from the beginning.
    pub(super) fn of(products: &[Product]) -> Self {
        Self {
            shown: products.to_vec(),
            coming: VecDeque::new(),
        }
    }

    /// Takes what the store holds now, to be shown from then on, with one product that is shown at once.
    pub(super) fn follow(
        &mut self,
        products: &[Product],
        at_once: Option<&Product>,
        then: Instant,
    ) {
        if let Some(product) = at_once {
            self.shown.push(product.clone());
            for (_, later) in &mut self.coming {
                later.push(product.clone());
            }
        }
        self.coming.push_back((then, products.to_vec()));
    }

    /// Returns what a reader sees at that time.
    pub(super) fn shown(&mut self, now: Instant) -> &[Product] {
        while self.coming.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, products)) = self.coming.pop_front() {
                self.shown = products;
            }
        }
        &self.shown
    }
}
