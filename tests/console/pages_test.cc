#include "gateway/console/pages.h"

#include <gtest/gtest.h>

namespace lotsen::console {
namespace {

store::Transfer transfer() {
  store::Transfer transfer;
  transfer.id = "0190a0b0-0000-7000-8000-000000000001";
  transfer.partner = "pas";
  transfer.caseKey = "<script>alert(1)</script>\"'&";
  transfer.state = store::TransferState::Waiting;
  transfer.reasons = R"([{"code":"consent-missing","text":"x"},{"code":"btf-missing"}])";
  transfer.createdAt = transfer.changedAt = fromMillis(1'772'438'400'000);  // 2026-03-02T08:00:00Z
  return transfer;
}

TEST(Pages, ListEscapesWhatItShowsAndNamesTheReasons) {
  const auto html = transfersPage({transfer()}, 50);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"), std::string::npos);
  EXPECT_NE(html.find("consent-missing, btf-missing"), std::string::npos);
  EXPECT_NE(html.find("väntar"), std::string::npos);
  EXPECT_NE(html.find("2026-03-02 09:00:00"), std::string::npos) << "clock time in Stockholm";
  EXPECT_EQ(html.find("Äldre"), std::string::npos);
  EXPECT_NE(transfersPage({transfer()}, 1).find("/console/?after=0190a0b0"), std::string::npos);
  EXPECT_NE(transfersPage({}, 50).find("Inga överföringar"), std::string::npos);
}

TEST(Pages, TransferShowsLegsAndTimeline) {
  store::TransferView view;
  view.transfer = transfer();
  store::Delivery delivery;
  delivery.role = store::Role::Mediator;
  delivery.partner = "grannregion";
  delivery.state = store::DeliveryState::Parked;
  delivery.reason = "fatal-error-acknowledged";
  delivery.attempts = 3;
  view.deliveries.push_back(delivery);
  view.timeline.push_back(
      {fromMillis(1'772'438'400'000), "gateway", "leg-created", view.transfer.id, "", R"({"what":"mediator"})"});
  store::Record record;
  record.id = "0190a0b0-0000-7000-8000-000000000002";
  record.state = store::RecordState::Processed;
  view.records.push_back(record);
  EXPECT_EQ(transferPage(view).find("/console/records/"), std::string::npos) << "there is nothing to take up again";
  view.records.back().state = store::RecordState::Parked;
  const auto html = transferPage(view);
  EXPECT_NE(html.find("action=\"/console/records/" + record.id + "\""), std::string::npos);
  for (const char* expected : {"förmedlingsfunktion", "grannregion", "parkerad", "fatal-error-acknowledged",
                               "leg-created", "lang=\"sv\"", "<main>"}) {
    EXPECT_NE(html.find(expected), std::string::npos) << expected;
  }
  EXPECT_EQ(html.find("<script"), std::string::npos);
}

TEST(Pages, AChangeAfterSendingCanBeSettled) {
  store::TransferView view;
  view.transfer = transfer();
  const std::string action = "action=\"/console/transfers/" + view.transfer.id + "\"";
  EXPECT_EQ(transferPage(view).find(action), std::string::npos) << "there is nothing to settle";
  view.transfer.reasons = R"([{"code":"changed-after-sending","text":"x"}])";
  const auto html = transferPage(view);
  EXPECT_NE(html.find(action), std::string::npos);
  EXPECT_NE(html.find("Mottagaren behöver inget nytt"), std::string::npos);
}

}  // namespace
}  // namespace lotsen::console
