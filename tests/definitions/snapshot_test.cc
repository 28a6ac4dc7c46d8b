// The rules of snapshots one by one, on small profiles of our own: what holds is in the rows, what is forbidden is told
// with file and element. HL7's cases are in snapshot_corpus_test.cc.
#include "gateway/definitions/snapshot_form.h"
#include "gateway/fhir/r4/types.h"
#include "snapshot_facts.h"

#include <gtest/gtest.h>

#include <map>

namespace lotsen::definitions {
namespace {

std::string profile(const std::string& name, const std::string& elements, const std::string& base = "Patient",
                    const std::string& type = "Patient") {
  const std::string baseUrl =
      base.find(':') == std::string::npos ? "http://hl7.org/fhir/StructureDefinition/" + base : base;
  return R"({"resourceType":"StructureDefinition","url":"urn:)" + name + R"(","name":")" + name +
         R"(","status":"draft","kind":"resource","abstract":false,"type":")" + type + R"(","baseDefinition":")" +
         baseUrl + R"(","derivation":"constraint","differential":{"element":[)" +
         (elements.empty() ? R"({"path":")" + type + "\"}" : elements) + "]}}";
}

/// Profiles that know each other, and what was found wrong with them.
class Made {
 public:
  explicit Made(const std::vector<std::string>& texts) {
    ProfileLoader loader(fhir::Schema::r4(), issues);
    for (const std::string& text : texts) {
      DocumentPointer document = readDefinition(text, issues);
      EXPECT_NE(document, nullptr) << fhir::operationOutcome(issues);
      if (document != nullptr) loader.add("file.json", std::move(document));
    }
    profiles = std::move(loader).finish();
  }
  const Profile& operator[](const std::string& name) const { return *profiles->find("urn:" + name); }
  const ProfileElement& row(const std::string& name, const std::string& id) const {
    const Profile& profile = (*this)[name];
    const RowId at = profile.find(id);
    EXPECT_NE(at, kNoRow) << id;
    return profile[at == kNoRow ? 0 : at];
  }
  std::string faults() const {
    std::string text;
    for (const fhir::Issue& issue : issues.list()) text += issue.text + "\n";
    return text;
  }

  fhir::Issues issues;
  std::shared_ptr<const Profiles> profiles;
};

/// The only fault of a profile on Patient with these elements.
std::string faultOf(const std::string& elements, const std::string& base = "Patient",
                    const std::string& type = "Patient") {
  const Made made({profile("p", elements, base, type)});
  EXPECT_EQ(made.issues.list().size(), 1U) << made.faults();
  return made.faults();
}

TEST(Snapshot, RowsAreLinked) {
  const Made made({profile("p", R"(
    {"path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"openAtEnd","ordered":true},"max":"3"},
    {"path":"Patient.identifier","sliceName":"a","min":1,"max":"2"},
    {"path":"Patient.identifier.system","min":1,"fixedUri":"urn:a"},
    {"path":"Patient.identifier","sliceName":"b"},
    {"path":"Patient.identifier.value","maxLength":12})")});
  EXPECT_EQ(made.faults(), "");
  const Profile& p = made["p"];
  const auto at = [&](const char* id) { return p.find(id); };
  const ProfileElement& plain = made.row("p", "Patient.identifier");
  const ProfileElement& a = made.row("p", "Patient.identifier:a");
  EXPECT_EQ(p.child(0, fhir::Schema::r4()->findName("identifier")), at("Patient.identifier"));
  EXPECT_EQ(plain.firstSlice, at("Patient.identifier:a"));
  EXPECT_EQ(a.nextSlice, at("Patient.identifier:b"));
  EXPECT_EQ(a.unsliced, at("Patient.identifier"));
  EXPECT_EQ(made.row("p", "Patient.identifier:b").nextSlice, kNoRow);
  EXPECT_EQ(plain.end, at("Patient.identifier:a"));
  EXPECT_EQ(a.end, at("Patient.identifier:b"));
  ASSERT_NE(plain.slicing, nullptr);
  EXPECT_EQ(plain.slicing->rules, SlicingRules::OpenAtEnd);
  EXPECT_TRUE(plain.slicing->ordered);
  ASSERT_EQ(plain.slicing->discriminators.size(), 1U);
  EXPECT_EQ(plain.slicing->discriminators[0].path, "system");
  EXPECT_EQ(plain.max, 3U);
  EXPECT_EQ(a.min, 1U);
  EXPECT_EQ(made.row("p", "Patient.identifier:b").min, 0U);
  const ProfileElement& system = made.row("p", "Patient.identifier:a.system");
  EXPECT_EQ(system.parent, at("Patient.identifier:a"));
  ASSERT_NE(system.fixed, nullptr);
  EXPECT_EQ(system.fixed->value(), "urn:a");
  EXPECT_EQ(fhir::Schema::r4()->text(fhir::Schema::r4()->def(system.def).path), "Identifier.system");
  EXPECT_EQ(made.row("p", "Patient.identifier:b.value").maxLength, 12U);
}

TEST(Snapshot, MarksWhatIsTighterThanTheType) {
  const Made made(
      {profile("p", R"({"path":"Patient.contact.name","min":1},{"path":"Patient.gender","mustSupport":true})")});
  EXPECT_FALSE(made.row("p", "Patient").tightened);
  EXPECT_TRUE(made.row("p", "Patient").tightenedBelow);
  EXPECT_TRUE(made.row("p", "Patient.contact").tightenedBelow);
  EXPECT_FALSE(made.row("p", "Patient.contact").tightened);
  EXPECT_TRUE(made.row("p", "Patient.contact.name").tightened);
  EXPECT_FALSE(made.row("p", "Patient.gender").tightened);  // must-support is nothing to check
  EXPECT_TRUE(made.row("p", "Patient.gender").mustSupport);
  EXPECT_FALSE(made.row("p", "Patient.communication").tightenedBelow);
}

TEST(Snapshot, KnowsWhichConstraintsTheTypeHas) {
  const Made made({profile("p", R"json({"path":"Patient","constraint":[
    {"key":"p-1","severity":"warning","human":"h","expression":"name.exists()"}]})json")});
  std::map<std::string_view, const ProfileConstraint*> keys;
  for (const ProfileConstraint& one : made.row("p", "Patient").constraints) keys[one.key] = &one;
  ASSERT_TRUE(keys.contains("dom-2"));
  ASSERT_TRUE(keys.contains("p-1"));
  EXPECT_TRUE(keys["dom-2"]->base);
  EXPECT_FALSE(keys["p-1"]->base);
  EXPECT_FALSE(keys["p-1"]->error);
  EXPECT_EQ(keys["p-1"]->source, "urn:p");
  EXPECT_TRUE(made.row("p", "Patient").tightened);
}

TEST(Snapshot, DerivesFromProfilesAndTheirSlices) {
  const Made made({profile("child", R"({"id":"Patient.identifier:a.value","path":"Patient.identifier.value","min":1},
      {"id":"Patient.identifier:c","path":"Patient.identifier","sliceName":"c"})",
                           "urn:parent"),
                   profile("parent", R"(
      {"path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}},
      {"path":"Patient.identifier","sliceName":"a","mustSupport":true,"constraint":[{"key":"a-1","severity":"error","human":"h","expression":"true"}]},
      {"path":"Patient.identifier","sliceName":"a/x"},
      {"path":"Patient.identifier","sliceName":"b"})")});
  EXPECT_EQ(made.faults(), "");
  EXPECT_EQ(made.row("child", "Patient.identifier:a.value").min, 1U);
  EXPECT_TRUE(made.row("child", "Patient.identifier:a").mustSupport);
  const auto& keys = made.row("child", "Patient.identifier:a").constraints;
  EXPECT_EQ(keys.back().key, "a-1");
  EXPECT_EQ(keys.back().source, "urn:parent");
  const Profile& child = made["child"];
  EXPECT_EQ(made.row("child", "Patient.identifier:a/x").unsliced, child.find("Patient.identifier:a"));
  EXPECT_EQ(made.row("child", "Patient.identifier:a").firstSlice, child.find("Patient.identifier:a/x"));
  EXPECT_EQ(made.row("child", "Patient.identifier:b").nextSlice, child.find("Patient.identifier:c"));
  EXPECT_LT(child.find("Patient.identifier:a/x"), child.find("Patient.identifier:b"));
}

TEST(Snapshot, WalksIntoTypesProfilesAndReferredElements) {
  const Made made(
      {profile("name", R"({"path":"HumanName.family","min":1})", "HumanName", "HumanName"),
       profile("p", R"({"path":"Patient.name","type":[{"code":"HumanName","profile":["urn:name"]}]},
                                   {"path":"Patient.name.given","max":"1"})"),
       profile("q", R"({"path":"Questionnaire.item.item.linkId","maxLength":3})", "Questionnaire", "Questionnaire")});
  EXPECT_EQ(made.faults(), "");
  EXPECT_EQ(made.row("p", "Patient.name.family").min, 1U);
  EXPECT_EQ(made.row("p", "Patient.name.given").max, 1U);
  EXPECT_EQ(made.row("q", "Questionnaire.item.item.linkId").maxLength, 3U);
  const ProfileElement& inner = made.row("q", "Questionnaire.item.item.item");
  EXPECT_EQ(inner.contentReference, "#Questionnaire.item");
  EXPECT_EQ(inner.content, made["q"].find("Questionnaire.item"));
}

TEST(Snapshot, ImpliesTheSlicingOfChoicesAndExtensions) {
  const Made made({profile("p", R"({"path":"Patient.extension","sliceName":"birth","type":[{"code":"Extension",
        "profile":["http://hl7.org/fhir/StructureDefinition/patient-birthTime"]}]},
      {"path":"Patient.deceasedDateTime","mustSupport":true})")});
  EXPECT_EQ(made.faults(), "");
  ASSERT_NE(made.row("p", "Patient.extension").slicing, nullptr);
  EXPECT_EQ(made.row("p", "Patient.extension:birth").max, 1U);  // the extension's own
  const ProfileElement& choice = made.row("p", "Patient.deceased[x]");
  ASSERT_NE(choice.slicing, nullptr);
  EXPECT_EQ(choice.slicing->rules, SlicingRules::Open);
  const ProfileElement& slice = made.row("p", "Patient.deceased[x]:deceasedDateTime");
  ASSERT_EQ(slice.types.size(), 1U);
  EXPECT_EQ(slice.types[0].type, fhir::r4::kDateTime);
  EXPECT_EQ(slice.name, choice.name);
}

TEST(Snapshot, SaysWhatIsForbidden) {
  EXPECT_NE(faultOf(R"({"path":"Patient.nam","min":1})").find("no element nam in Patient"), std::string::npos);
  EXPECT_NE(faultOf(R"({"path":"Person.name","min":1})").find("no path below Patient"), std::string::npos);
  EXPECT_NE(faultOf(R"({"path":"Patient.gender","max":"2"})").find("max 2 is more"), std::string::npos);
  EXPECT_NE(faultOf(R"({"path":"Patient.link.other","min":0})").find("min 0 is less"), std::string::npos);
  EXPECT_NE(faultOf(R"({"path":"Patient.gender","type":[{"code":"Coding"}]})").find("it allows code"),
            std::string::npos);
  EXPECT_NE(faultOf(R"({"path":"Patient.gender","fixedString":"male"})").find("fixed value of type string"),
            std::string::npos);
  EXPECT_NE(faultOf(R"({"path":"Patient.name","sliceName":"a"})").find("nothing says how"), std::string::npos);
  EXPECT_NE(faultOf(R"({"path":"Patient.deceased[x]","sliceName":"dead","type":[{"code":"boolean"}]})")
                .find("named deceased"),
            std::string::npos);
  EXPECT_NE(faultOf(R"({"path":"Patient.gender","binding":{"strength":"example"}})").find("loosens"),
            std::string::npos);
  EXPECT_NE(
      faultOf(R"({"path":"Patient.gender","min":1},{"path":"Patient.name","min":1})").find("sort the differential"),
      std::string::npos);
  EXPECT_NE(
      faultOf(R"({"path":"Patient.name","slicing":{"discriminator":[{"type":"value","path":"use"}],"rules":"open"}},
      {"path":"Patient.name","sliceName":"a","sliceIsConstraining":true})")
          .find("the slice a, which the base does not have"),
      std::string::npos);
  EXPECT_NE(faultOf("", "urn:nowhere").find("is not known"), std::string::npos);
  EXPECT_NE(faultOf("", "Practitioner").find("is of another type"), std::string::npos);
}

TEST(Snapshot, TakesATypeThatIsNamedAsAProfileAndSaysSo) {
  const auto entry = [](const std::string& type, const std::string& named) {
    return R"({"path":"Bundle.entry.resource","type":[{"code":")" + type +
           R"(","profile":["http://hl7.org/fhir/StructureDefinition/)" + named + R"("]}]})";
  };
  const Made made({profile("p", entry("Resource", "Patient"), "Bundle", "Bundle")});
  EXPECT_NE(made.faults().find("name that type"), std::string::npos);
  EXPECT_FALSE(made.issues.hasErrors());
  ASSERT_EQ(made.row("p", "Bundle.entry.resource").types.size(), 1U);
  EXPECT_EQ(made.row("p", "Bundle.entry.resource").types[0].profiles.size(), 1U);
  const Made wrong({profile("p", R"({"path":"Patient.name","type":[{"code":"HumanName",
        "profile":["http://hl7.org/fhir/StructureDefinition/Address"]}]})")});
  EXPECT_TRUE(wrong.issues.hasErrors());
}

TEST(Snapshot, TellsFileAndElementOfAFault) {
  const Made made({profile("p", R"({"path":"Patient.gender","max":"2"})")});
  ASSERT_EQ(made.issues.list().size(), 1U);
  EXPECT_EQ(made.issues.list()[0].source, "file.json");
  EXPECT_EQ(made.issues.list()[0].expression, "StructureDefinition.differential.element[0]");
  EXPECT_EQ(made.issues.list()[0].at.line, 1U);
}

TEST(Snapshot, EndsCircles) {
  const Made made({profile("a", "", "urn:b"), profile("b", "", "urn:a")});
  EXPECT_TRUE(made.issues.hasErrors());
  EXPECT_EQ(made.profiles->find("urn:a"), nullptr);
  const Made names(
      {profile("x",
               R"({"path":"HumanName.extension","sliceName":"y","type":[{"code":"Extension","profile":["urn:y"]}]})",
               "HumanName", "HumanName"),
       profile("y", R"({"path":"Extension.value[x]","type":[{"code":"HumanName","profile":["urn:x"]}]},
                                    {"path":"Extension.value[x].family","min":1})",
               "Extension", "Extension")});
  EXPECT_EQ(names.faults(), "");
  EXPECT_EQ(names.row("y", "Extension.value[x].family").min, 1U);
}

TEST(Snapshot, HasARootThatIsNoChoice) {
  std::string text = profile("p", R"({"path":"Thing[x]","type":[{"code":"HumanName"}]},{"path":"Thing[x].name"})");
  text.replace(text.find("constraint"), std::string_view("constraint").size(), "specialization");
  const Made made({text});
  EXPECT_NE(made.faults().find("Thing[x]: a type is no choice"), std::string::npos) << made.faults();
}

TEST(Snapshot, StaysWithinBounds) {
  std::string path = "Questionnaire";
  for (int i = 0; i < 70; ++i) path += ".item";
  EXPECT_NE(faultOf(R"({"path":")" + path + "\"}", "Questionnaire", "Questionnaire").find("more than 64"),
            std::string::npos);
  // Each profile walks twice into the one before it.
  std::vector<std::string> texts = {
      profile("p0", R"({"path":"Extension.extension","max":"9"})", "Extension", "Extension")};
  for (int i = 1; i < 20; ++i) {
    const std::string type = R"("type":[{"code":"Extension","profile":["urn:p)" + std::to_string(i - 1) + R"("]}])";
    texts.push_back(
        profile("p" + std::to_string(i),
                R"({"path":"Extension.extension","sliceName":"a",)" + type +
                    R"(},{"path":"Extension.extension.id","max":"0"},{"path":"Extension.extension","sliceName":"b",)" +
                    type + R"(},{"path":"Extension.extension.id","max":"0"})",
                "Extension", "Extension"));
  }
  const Made made(texts);
  EXPECT_NE(made.faults().find("larger than 20000 elements"), std::string::npos);
}

TEST(Snapshot, IsWrittenIntoTheDefinition) {
  fhir::Issues issues;
  const DocumentPointer definition = readDefinition(
      profile(
          "p",
          R"({"id":"Patient.birthDate","path":"Patient.birthDate","short":"Födelsedag","min":1,"constraint":[{"key":"p-1","severity":"error","human":"h","expression":"true"}]})"),
      issues);
  ASSERT_NE(definition, nullptr);
  const auto made = withSnapshot(*Definitions::r4(), "p.json", *definition, issues);
  ASSERT_TRUE(made.ok()) << fhir::operationOutcome(issues);
  const std::string text = fhir::writeJson(*made);
  EXPECT_NE(
      text.find(
          R"({"id":"Patient.birthDate","path":"Patient.birthDate","short":"Födelsedag","min":1,"max":"1",)"
          R"("base":{"path":"Patient.birthDate","min":0,"max":"1"},"type":[{"code":"date"}],"constraint":[{"key":"ele-1")"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("source":"urn:p")"), std::string::npos);
  EXPECT_NE(text.find(R"("base":{"path":"Resource.id","min":0,"max":"1"})"), std::string::npos);
  EXPECT_NE(text.find(R"("base":{"path":"BackboneElement.modifierExtension","min":0,"max":"*"})"), std::string::npos);
  EXPECT_LT(text.find(R"("snapshot":)"), text.find(R"("differential":)"));
  fhir::Issues again;
  const auto read = fhir::readJson(text, fhir::Schema::r4(), {}, again);
  ASSERT_TRUE(read.ok()) << fhir::operationOutcome(again);
  const Lookup none = [](std::string_view) { return nullptr; };
  const auto brought = rowsOf(*read, true, none, again);
  const auto fresh = rowsOf(*definition, false, none, again);
  const auto same = [](std::string word) { return word; };
  const auto nothingIsOther = [](std::string_view) { return false; };
  EXPECT_EQ(difference(factLines(*brought, same, nothingIsOther), factLines(*fresh, same, nothingIsOther)), "");
}

TEST(SnapshotForm, WritesTheElementOfAProfileAsItWasRead) {
  const std::string element = R"("_profile":[{"extension":[
      {"url":"http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element","valueString":"Address.line"}]}])";
  fhir::Issues issues;
  const auto definition = readDefinition(
      profile("p", R"({"path":"Patient.address","type":[{"code":"Address","profile":["urn:a"],)" + element + "}]}"),
      issues);
  ASSERT_NE(definition, nullptr) << fhir::operationOutcome(issues);
  const auto written = withSnapshot(*Definitions::r4(), "p.json", *definition, issues);
  ASSERT_TRUE(written.ok()) << fhir::operationOutcome(issues);
  const std::string text = fhir::writeJson(*written);
  EXPECT_EQ(text.find('#' + std::string("Address.line")), std::string::npos);
  std::size_t times = 0;
  for (auto at = text.find("Address.line\"}"); at != std::string::npos; at = text.find("Address.line\"}", at + 1))
    ++times;
  EXPECT_EQ(times, 2U) << text;  // in the differential and in the snapshot
}

}  // namespace
}  // namespace lotsen::definitions
