//! The use cases.
use crate::view::*;
/// The app without a window.
#[derive(Clone)]
pub struct Wallet;
#[allow(missing_docs, clippy::unused_async)]
impl Wallet {
    pub fn view(&self) -> AppView {
        todo!()
    }
    pub async fn sync_now(&self) -> Result<AppView, ErrorView> {
        todo!()
    }
    pub async fn sign_in(&self, _secure_key: String) -> Result<AppView, ErrorView> {
        todo!()
    }
    pub async fn sign_out(&self) -> Result<AppView, ErrorView> {
        todo!()
    }
    pub async fn look_around(&self) -> Result<AppView, ErrorView> {
        todo!()
    }
    pub async fn reveal_key(&self, _last_four: String) -> Result<String, ErrorView> {
        todo!()
    }
    pub fn catalog(&self) -> Result<CatalogView, ErrorView> {
        todo!()
    }
    pub async fn estimate(&self, _request: EstimateRequest) -> Result<EstimateView, ErrorView> {
        todo!()
    }
    pub async fn simulate_run(&self, _request: EstimateRequest) -> Result<AppView, ErrorView> {
        todo!()
    }
    pub async fn preview_purchase(&self, _usd: String) -> Result<BuyPreviewView, ErrorView> {
        todo!()
    }
    pub async fn review_purchase(&self, _usd: String) -> Result<ReviewView, ErrorView> {
        todo!()
    }
    pub async fn pay(&self, _order_id: String) -> Result<AppView, ErrorView> {
        todo!()
    }
    pub async fn put_payment_away(&self) -> Result<AppView, ErrorView> {
        todo!()
    }
    pub async fn ask_for_test_ether(&self) -> Result<AppView, ErrorView> {
        todo!()
    }
    pub async fn set_theme(&self, _theme: Theme) -> Result<AppView, ErrorView> {
        todo!()
    }
}
