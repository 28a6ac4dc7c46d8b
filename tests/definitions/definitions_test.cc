#include "gateway/definitions/definitions.h"

#include "gateway/base/text.h"
#include "gateway/definitions/canonicals.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/r4/types.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace lotsen::definitions {
namespace {

namespace fs = std::filesystem;
using fhir::Issues;
using fhir::kNone;
using fhir::Schema;

class Definitions : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  std::shared_ptr<const Schema> mustLoad(const std::vector<std::string>& paths) {
    auto loaded = load(paths, issues_);
    EXPECT_TRUE(loaded.ok()) << fhir::operationOutcome(issues_);
    return loaded.ok() ? (*loaded)->schema : Schema::r4();
  }

  std::string whyNot(const std::vector<std::string>& paths) {
    auto loaded = load(paths, issues_);
    EXPECT_FALSE(loaded.ok());
    return loaded.ok() ? std::string() : loaded.error().message;
  }

  const test::TempDir made_;
  const fs::path folder_ = made_.path();
  Issues issues_;
};

std::string model(const std::string& name, const std::string& elements, const std::string& part = "snapshot",
                  const std::string& base = "http://hl7.org/fhir/StructureDefinition/Element") {
  return R"({"resourceType":"StructureDefinition","url":"http://example.org/)" + name + R"(","name":")" + name +
         R"(","status":"draft","kind":"logical","abstract":false,"type":"http://example.org/)" + name +
         R"(","baseDefinition":")" + base + R"(","derivation":"specialization",")" + part + R"(":{"element":[)" +
         elements + "]}}";
}

std::string element(const std::string& path, const std::string& type, const std::string& max = "1",
                    const std::string& more = "") {
  return R"({"path":")" + path + R"(","min":0,"max":")" + max + "\"" +
         (type.empty() ? "" : R"(,"type":[{"code":")" + type + "\"}]") + more + "}";
}

std::string listOf(std::initializer_list<std::string> elements) {
  std::string list;
  for (const std::string& one : elements) list += (list.empty() ? "" : ",") + one;
  return list;
}

const std::string kRecord =
    listOf({element("Record", "", "*"), element("Record.number", "integer"), element("Record.urgent", "boolean"),
            element("Record.rows", "BackboneElement", "*"), element("Record.rows.code", "Coding"),
            element("Record.rows.inner", "", "*", R"(,"contentReference":"#Record.rows")"),
            R"({"path":"Record.value[x]","min":1,"max":"1","type":[{"code":"string"},{"code":"Quantity"}]})",
            element("Record.other", "http://example.org/Other")});

TEST_F(Definitions, AModelTypesItsRecords) {
  const auto schema =
      mustLoad({file("record.json", model("Record", kRecord)),
                file("other.json", model("Other", listOf({element("Other", ""), element("Other.a", "date")})))});
  const auto type = schema->findType("http://example.org/Record");
  ASSERT_NE(type, kNone);
  EXPECT_EQ(schema->findType("Record"), type);
  EXPECT_TRUE(schema->isA(type, fhir::r4::kElement));
  const std::string text =
      R"({"number":7,"urgent":true,"rows":[{"code":{"code":"a"},"inner":[{"inner":[{"code":{"code":"b"}}]}]}],"valueQuantity":{"value":1.50},"other":{"a":"2026"}})";
  Issues issues;
  const auto document = fhir::readJson(text, schema, {.type = type}, issues);
  ASSERT_TRUE(document.ok()) << fhir::operationOutcome(issues);
  EXPECT_EQ(fhir::writeJson(*document), text);
  const auto* value = child(*document, document->root(), "value");
  EXPECT_EQ(value->type, fhir::r4::kQuantity);
  EXPECT_EQ(schema->def(value->def).min, 1U);
  EXPECT_EQ(schema->text(schema->def(value->def).path), "Record.value[x]");
  EXPECT_FALSE(fhir::readJson(R"({"number":"7"})", schema, {.type = type}, issues).ok());
  EXPECT_FALSE(fhir::readJson(R"({"other":{"b":1}})", schema, {.type = type}, issues).ok());
}

TEST_F(Definitions, ADifferentialAddsToItsBaseInAnyOrder) {
  const std::string child = model("Child", listOf({element("Child", ""), element("Child.more", "string")}),
                                  "differential", "http://example.org/Parent");
  const std::string parent =
      model("Parent", listOf({element("Parent", ""), element("Parent.some", "string")}), "differential");
  const auto schema = mustLoad({file("1.json", child), file("2.json", parent)});
  Issues issues;
  EXPECT_TRUE(fhir::readJson(R"({"some":"a","more":"b"})", schema, {.type = schema->findType("Child")}, issues).ok());
  EXPECT_TRUE(schema->isA(schema->findType("Child"), schema->findType("Parent")));
}

TEST_F(Definitions, WalksFoldersAndPassesOverWhatIsNoDefinition) {
  file("package/a/record.json", model("Record", listOf({element("Record", ""), element("Record.a", "string")})));
  file("package/example.json", R"({"resourceType":"Patient","bogus":1})");
  file("package/bundle.json", R"({"resourceType":"Bundle","bogus":{"resourceType":"StructureDefinition"}})");
  file("package/.index.json", R"({"files":[{"resourceType":"StructureDefinition"}]})");
  file("package/readme.txt", "x");
  const auto schema = mustLoad({(folder_ / "package").string()});
  EXPECT_NE(schema->findType("Record"), kNone);
  EXPECT_TRUE(issues_.empty());
}

TEST_F(Definitions, ReadsPackedPackages) {
  const std::string bytes = model("Record", listOf({element("Record", ""), element("Record.a", "string")}));
  std::string tar(512, '\0');
  const std::string name = "package/StructureDefinition-Record.json";
  tar.replace(0, name.size(), name);
  char size[12];
  std::snprintf(size, sizeof size, "%011o", static_cast<unsigned>(bytes.size()));
  tar.replace(124, 11, size);
  tar[156] = '0';
  tar += bytes;
  tar.resize((tar.size() + 511) / 512 * 512 + 1024);
  const auto pack = [&](const std::string& to, std::size_t length) {
    const std::string path = (folder_ / to).string();
    gzFile out = gzopen(path.c_str(), "wb");
    gzwrite(out, tar.data(), static_cast<unsigned>(length));
    gzclose(out);
    return path;
  };
  EXPECT_NE(mustLoad({pack("whole.tgz", tar.size())})->findType("Record"), kNone);
  EXPECT_NE(whyNot({pack("cut.tgz", 600)}).find("cut off"), std::string::npos);
  EXPECT_NE(whyNot({file("no.tgz", "this is not an archive")}).find("no.tgz"), std::string::npos);
}

TEST_F(Definitions, ReadsXmlBesideJson) {
  const auto schema = mustLoad(
      {file("system.xml",
            R"(<?xml version="1.0"?><!-- a comment --><CodeSystem xmlns="http://hl7.org/fhir"><url value="urn:x"/>
        <status value="draft"/><content value="complete"/><concept><code value="a"/></concept></CodeSystem>)"),
       file(
           "set.json",
           R"({"resourceType":"ValueSet","url":"urn:vs","status":"draft","compose":{"include":[{"system":"urn:x"}]}})")});
  EXPECT_EQ(schema->inValueSet("urn:vs", "urn:x", "a"), Schema::Membership::In);
  file("more/patient.xml", R"(<Patient xmlns="http://hl7.org/fhir"><bogus/></Patient>)");
  mustLoad({(folder_ / "more").string()});
  EXPECT_TRUE(issues_.empty()) << fhir::operationOutcome(issues_);
}

TEST_F(Definitions, SaysWhichPackagesAreMissing) {
  file("a/package.json",
       R"({"name":"a","version":"1.0.0","dependencies":{"hl7.fhir.r4.core":"4.0.1","b":"2.1.x","c":"1.0.0"}})");
  file("a/record.json", model("Record", listOf({element("Record", ""), element("Record.a", "string")})));
  file("a/example/wrong.json", R"({"resourceType":"StructureDefinition","bogus":1})");
  file("b/package.json", R"({"name":"b","version":"2.1.7"})");
  const auto schema = mustLoad({(folder_ / "a").string(), (folder_ / "b").string()});
  EXPECT_NE(schema->findType("Record"), kNone);
  ASSERT_EQ(issues_.list().size(), 1U) << fhir::operationOutcome(issues_);
  EXPECT_EQ(issues_.list()[0].severity, fhir::Severity::Warning);
  EXPECT_NE(issues_.list()[0].text.find("builds on c 1.0.0, which is not among"), std::string::npos);
  file("c/package.json", R"({"name":"c","version":"1.0.1"})");
  issues_ = {};
  mustLoad({folder_.string()});
  ASSERT_EQ(issues_.list().size(), 1U) << fhir::operationOutcome(issues_);
  EXPECT_NE(issues_.list()[0].text.find("is given as 1.0.1 only"), std::string::npos);
}

TEST_F(Definitions, FindsVersions) {
  EXPECT_TRUE(olderVersion("1.9.2", "1.10.0"));
  EXPECT_TRUE(olderVersion("1.0", "1.0.1"));
  EXPECT_FALSE(olderVersion("2.0.0", "1.10.0"));
  EXPECT_FALSE(olderVersion("1.0.0", "1.0.0"));
  EXPECT_TRUE(isVersion("1.2.x", "1.2.9"));
  EXPECT_TRUE(isVersion("1", "1.2.9"));
  EXPECT_FALSE(isVersion("1.2.3", "1.2.9"));
  EXPECT_FALSE(isVersion("1.2.3.4", "1.2.3"));
}

TEST_F(Definitions, ListsValueSets) {
  const auto schema = mustLoad(
      {file("vs.json",
            R"({"resourceType":"ValueSet","url":"http://example.org/vs","status":"draft","compose":{"include":[
          {"system":"urn:listed","concept":[{"code":"a"},{"code":"b"}]},{"system":"urn:whole"}],"exclude":[{"system":"urn:listed","concept":[{"code":"b"}]}]}})"),
       file(
           "open.json",
           R"({"resourceType":"ValueSet","url":"http://example.org/open","status":"draft","compose":{"include":[{"system":"http://snomed.info/sct"}]}})"),
       file(
           "both.json",
           R"({"resourceType":"ValueSet","url":"http://example.org/both","status":"draft","compose":{"include":[{"valueSet":["http://example.org/vs|1"]}]}})"),
       file(
           "cs.json",
           R"({"resourceType":"CodeSystem","url":"urn:whole","status":"draft","content":"complete","concept":[{"code":"x","concept":[{"code":"y"}]}]})")});
  using Membership = Schema::Membership;
  EXPECT_EQ(schema->inValueSet("http://example.org/vs", "urn:listed", "a"), Membership::In);
  EXPECT_EQ(schema->inValueSet("http://example.org/vs", "urn:listed", "b"), Membership::NotIn);
  EXPECT_EQ(schema->inValueSet("http://example.org/vs", "urn:whole", "y"), Membership::In);
  EXPECT_EQ(schema->inValueSet("http://example.org/both", "", "y"), Membership::In);
  EXPECT_EQ(schema->inValueSet("http://example.org/open", "", "y"), Membership::Unknown);
}

TEST_F(Definitions, SaysWhatIsWrongWithFileAndElement) {
  EXPECT_NE(whyNot({"/nowhere/at/all.json"}).find("cannot be read"), std::string::npos);
  EXPECT_NE(whyNot({file("a.json", model("A", listOf({element("A", ""), element("A.x", "Strnig")})))})
                .find("\"Strnig\" is not known"),
            std::string::npos);
  EXPECT_EQ(issues_.list().back().expression, "StructureDefinition.snapshot.element[1].type[0]");
  EXPECT_NE(
      whyNot({file("b.json", model("B", listOf({element("B", ""), element("B.x.y", "string")})))}).find("above it"),
      std::string::npos);
  EXPECT_NE(whyNot({file("c.json", model("C", listOf({element("C", ""), element("C.x", "")})))}).find("has no type"),
            std::string::npos);
  const std::string attribute =
      listOf({element("H", ""), element("H.x", "Coding", "1", R"(,"representation":["xmlAttr"])")});
  EXPECT_NE(whyNot({file("h.json", model("H", attribute))}).find("needs a primitive type"), std::string::npos);
  const auto derived = [](const std::string& name, const std::string& base) {
    return model(name, listOf({element(name, ""), element(name + ".a", "string")}), "differential",
                 "http://example.org/" + base);
  };
  EXPECT_NE(whyNot({file("i.json", derived("I", "J")), file("j.json", derived("J", "I"))}).find("derives from itself"),
            std::string::npos);
  EXPECT_NE(whyNot({file("d.json", R"({"resourceType":"Patient"})")}).find("not a definition"), std::string::npos);
  EXPECT_NE(whyNot({file("e.json", "{")}).find("e.json"), std::string::npos);
  const std::string twice = model("T", listOf({element("T", ""), element("T.a", "string")}));
  EXPECT_NE(whyNot({file("f.json", twice), file("g.json", twice)}).find("a second time"), std::string::npos);
}

TEST_F(Definitions, ReadsTheSourceModelOfTheBench) {
  const fs::path data = test::sharedPath("peers/data");
  if (!fs::exists(data)) GTEST_SKIP() << "no peers at " << data;
  const auto schema = mustLoad({data / "source-referral.model.json"});
  std::string text;
  ASSERT_TRUE(readFile(data / "source-referral.json", text));
  Issues issues;
  const auto document = fhir::readJson(text, schema, {.type = schema->findType("SourceReferral")}, issues);
  ASSERT_TRUE(document.ok()) << fhir::operationOutcome(issues);
}

}  // namespace
}  // namespace lotsen::definitions
