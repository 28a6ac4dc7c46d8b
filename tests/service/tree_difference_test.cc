// What counts as a difference between two results of one record, and what does not.
#include "gateway/service/tree_difference.h"

#include "gateway/fhir/forms.h"

#include <gtest/gtest.h>

namespace lotsen::service {
namespace {

constexpr const char* kPatientId = "0b9c8a52-3a55-5f8e-9c55-000000000001";
constexpr const char* kOrganisationId = "0b9c8a52-3a55-5f8e-9c55-000000000002";
constexpr const char* kRequestId = "0b9c8a52-3a55-5f8e-9c55-000000000003";

std::string entry(const std::string& id, const std::string& resource) {
  return R"({"fullUrl":"urn:uuid:)" + id + R"(","resource":)" + resource + "}";
}

std::string patient(const std::string& id, const std::string& more = "") {
  return entry(id, R"({"resourceType":"Patient","id":")" + id + "\"" + more + "}");
}

std::string request(const std::string& id, const std::string& subject, const std::string& more = "") {
  return entry(id, R"({"resourceType":"ServiceRequest","id":")" + id +
                       R"(","status":"active","intent":"order","subject":{"reference":"urn:uuid:)" + subject + "\"}" +
                       more + "}");
}

std::string organisation(const std::string& id, const std::string& name) {
  return entry(id, R"({"resourceType":"Organization","id":")" + id + R"(","name":")" + name + "\"}");
}

std::string bundle(const std::vector<std::string>& entries) {
  std::string text;
  for (const auto& each : entries) text += (text.empty() ? "" : ",") + each;
  return R"({"resourceType":"Bundle","type":"collection","entry":[)" + text + "]}";
}

fhir::Document read(const std::string& text) {
  fhir::Issues issues;
  auto document = fhir::readJson(text, fhir::Schema::r4(), {}, issues);
  for (const auto& issue : issues.list()) ADD_FAILURE() << issue.text << " " << issue.expression;
  return std::move(document).value();
}

/// "+path", "-path", "~path" (value), "%path" (order)
std::vector<std::string> compared(const std::string& before, const std::string& after, const std::string& original = "",
                                  const std::string& shownUrl = "") {
  Comparing comparing;
  comparing.given = uuidsIn(original);
  comparing.mayShow = [&](std::string_view url) { return url == shownUrl; };
  std::vector<std::string> told;
  for (const auto& each : differences(read(before), read(after), comparing)) {
    const char* const signs = "~+-%";
    told.push_back(signs[static_cast<std::size_t>(each.change)] + each.path);
  }
  return told;
}

using Told = std::vector<std::string>;

std::string otherIds(std::string text) {
  for (const std::string id : {kPatientId, kOrganisationId, kRequestId}) {
    std::string other = id;
    other[0] = 'f';
    other[9] = 'e';
    for (auto at = text.find(id); at != std::string::npos; at = text.find(id)) text.replace(at, 36, other);
  }
  return text;
}

TEST(TreeDifference, IdsThatMapsMakeAreNoDifferenceWhereverTheyStand) {
  const auto before =
      bundle({request(kRequestId, kPatientId,
                      R"(,"performer":[{"reference":"urn:uuid:)" + std::string(kOrganisationId) + "\"}]"),
              patient(kPatientId), organisation(kOrganisationId, "Kliniken")});
  EXPECT_EQ(compared(before, before), Told{});
  EXPECT_EQ(compared(before, otherIds(before)), Told{});
  EXPECT_EQ(compared(before, otherIds(before), kPatientId),
            (Told{"~Bundle.entry.resource.ofType(ServiceRequest).subject.reference", "~Bundle.entry.fullUrl",
                  "~Bundle.entry.resource.ofType(Patient).id"}))
      << "an id that stands in the original is a value";
  std::string drawn = before;  // version 4: no map makes such an id
  for (auto at = drawn.find("-5f8e-"); at != std::string::npos; at = drawn.find("-5f8e-")) drawn[at + 1] = '4';
  std::string others = drawn;
  for (auto at = others.find("0b9c8a52"); at != std::string::npos; at = others.find("0b9c8a52")) others[at] = 'f';
  EXPECT_EQ(compared(drawn, others).size(), 8u);
}

TEST(TreeDifference, AReferenceThatLeadsElsewhereIsTold) {
  const auto before =
      bundle({request(kRequestId, kPatientId), patient(kPatientId), organisation(kOrganisationId, "A")});
  const auto after =
      bundle({request(kRequestId, kOrganisationId), patient(kPatientId), organisation(kOrganisationId, "A")});
  EXPECT_EQ(compared(before, otherIds(after)), Told{"~Bundle.entry.resource.ofType(ServiceRequest).subject.reference"});
}

TEST(TreeDifference, ANewEntryAtTheTopIsOneDifference) {
  const auto before = bundle({request(kRequestId, kPatientId), patient(kPatientId)});
  const auto after = bundle({organisation(kOrganisationId, "A"), request(kRequestId, kPatientId), patient(kPatientId)});
  EXPECT_EQ(compared(before, otherIds(after)), Told{"+Bundle.entry.resource.ofType(Organization)"});
  EXPECT_EQ(compared(after, otherIds(before)), Told{"-Bundle.entry.resource.ofType(Organization)"});
}

TEST(TreeDifference, ValuesComeGoAndChange) {
  const auto with = [](const std::string& more) { return bundle({patient(kPatientId, more)}); };
  const std::string path = "Bundle.entry.resource.ofType(Patient)";
  EXPECT_EQ(compared(with(R"(,"gender":"female")"), with(R"(,"gender":"male")")), Told{"~" + path + ".gender"});
  EXPECT_EQ(compared(with(R"(,"gender":"female")"), with("")), Told{"-" + path + ".gender"});
  EXPECT_EQ(compared(with(""), with(R"(,"name":[{"family":"A","given":["B","C"]}])")), Told{"+" + path + ".name"});
  EXPECT_EQ(compared(with(R"(,"name":[{"family":"A","given":["B","C"]}])"),
                     with(R"(,"name":[{"family":"A","given":["B","D"]}])")),
            Told{"~" + path + ".name.given"});
  EXPECT_EQ(compared(with(R"(,"deceasedBoolean":true)"), with(R"(,"deceasedDateTime":"2026-01-01")")),
            (Told{"-" + path + ".deceased.ofType(boolean)", "+" + path + ".deceased.ofType(dateTime)"}));
  EXPECT_EQ(compared(with(R"(,"multipleBirthInteger":1)"), with(R"(,"multipleBirthInteger":1)")), Told{});
}

TEST(TreeDifference, TheOrderOfAListIsToldAndThatOfMembersIsNot) {
  const auto with = [](const std::string& more) { return bundle({patient(kPatientId, more)}); };
  EXPECT_EQ(compared(with(R"(,"name":[{"given":["A","B"]}])"), with(R"(,"name":[{"given":["B","A"]}])")),
            Told{"%Bundle.entry.resource.ofType(Patient).name.given"});
  EXPECT_EQ(compared(with(R"(,"gender":"male","birthDate":"1990-01-01")"),
                     with(R"(,"birthDate":"1990-01-01","gender":"male")")),
            Told{});
  EXPECT_EQ(compared(bundle({request(kRequestId, kPatientId), patient(kPatientId)}),
                     otherIds(bundle({patient(kPatientId), request(kRequestId, kPatientId)}))),
            Told{"%Bundle.entry"});
}

TEST(TreeDifference, AChangedItemMeetsItsOldSelf) {
  const auto with = [](const std::string& more) { return bundle({patient(kPatientId, more)}); };
  const std::string path = "Bundle.entry.resource.ofType(Patient)";
  EXPECT_EQ(compared(with(R"(,"telecom":[{"system":"phone","value":"1"},{"system":"email","value":"2"}])"),
                     with(R"(,"telecom":[{"system":"email","value":"3"}])")),
            (Told{"~" + path + ".telecom.value", "-" + path + ".telecom"}));
  EXPECT_EQ(compared(with(R"(,"identifier":[{"system":"urn:a","value":"1"}])"),
                     with(R"(,"identifier":[{"system":"urn:b","value":"1"}])")),
            Told{"~" + path + ".identifier.system"});
}

TEST(TreeDifference, AnExtensionIsNamedByItsUrlOnlyIfThatIsNoData) {
  const auto with = [](const std::string& url) {
    return bundle({patient(kPatientId, R"(,"extension":[{"url":")" + url + R"(","valueString":"x"}])")});
  };
  const std::string path = "Bundle.entry.resource.ofType(Patient)";
  EXPECT_EQ(compared(with("http://a.se/x"), bundle({patient(kPatientId)}), "", "http://a.se/x"),
            Told{"-" + path + ".extension('http://a.se/x')"});
  EXPECT_EQ(compared(with("http://a.se/19121212-1212"), bundle({patient(kPatientId)}), "", "http://a.se/x"),
            Told{"-" + path + ".extension"});
}

TEST(TreeDifference, PathsLoseTheirIndexes) {
  EXPECT_EQ(withoutIndexes("Bundle.entry[3].resource.ofType(Patient).name[12].given[0]"),
            "Bundle.entry.resource.ofType(Patient).name.given");
  EXPECT_EQ(withoutIndexes(""), "");
}

}  // namespace
}  // namespace lotsen::service
