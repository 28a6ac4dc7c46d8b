#include "gateway/definitions/concept_maps.h"

#include "gtest/gtest.h"

#include <string>

namespace lotsen::definitions {
namespace {

using Kind = Translation::Kind;

std::string resource(const std::string& url, const std::string& members) {
  return R"({"resourceType":"ConceptMap","url":")" + url + R"(","status":"draft")" + members + "}";
}

ConceptMap read(const std::string& json) {
  auto map = readConceptMap(json);
  EXPECT_TRUE(map.has_value()) << json;
  return map ? std::move(*map) : ConceptMap();
}

/// "system|code|display", or why not.
std::string said(const ConceptMaps& maps, const std::string& url, const std::string& system, const std::string& code) {
  const ConceptMap* map = maps.find(url);
  if (map == nullptr) return "no map";
  const Translation answer = maps.translate(*map, system, code);
  if (answer.kind == Kind::Several) return "several";
  if (answer.kind == Kind::Endless) return "endless";
  if (answer.kind == Kind::None) return "none";
  return std::string(answer.system) + "|" + std::string(answer.code) + "|" + std::string(answer.display);
}

TEST(ConceptMaps, R4AndR5FormsSayTheSame) {
  const std::string r4 = resource("urn:cm", R"(,"group":[{"source":"urn:s|1","target":"urn:t","element":[
      {"code":"M","target":[{"code":"male","display":"Man","equivalence":"equivalent"}]},
      {"code":"W","target":[{"code":"wide","equivalence":"wider"}]},
      {"code":"N","target":[{"code":"narrow","equivalence":"narrower"}]},
      {"code":"D","target":[{"code":"other","equivalence":"disjoint"}]},
      {"code":"X"}]}])");
  const std::string r5 = resource("urn:cm", R"(,"group":[{"element":[
      {"target":[{"relationship":"equivalent","display":"Man","code":"male"}],"code":"M"},
      {"code":"W","target":[{"code":"wide","relationship":"source-is-narrower-than-target"}]},
      {"code":"N","target":[{"code":"narrow","relationship":"source-is-broader-than-target"}]},
      {"code":"D","target":[{"code":"other","relationship":"not-related-to"}]},
      {"code":"X","noMap":true}],"target":"urn:t","source":"urn:s"}])");
  for (const std::string& json : {r4, r5}) {
    ConceptMaps maps;
    maps.add(read(json));
    EXPECT_EQ(said(maps, "urn:cm", "urn:s", "M"), "urn:t|male|Man");
    EXPECT_EQ(said(maps, "urn:cm", "", "M"), "urn:t|male|Man");
    EXPECT_EQ(said(maps, "urn:cm", "urn:other", "M"), "none");
    EXPECT_EQ(said(maps, "urn:cm", "urn:s", "W"), "urn:t|wide|");
    for (const char* code : {"N", "D", "X", "never"}) EXPECT_EQ(said(maps, "urn:cm", "urn:s", code), "none") << code;
  }
}

TEST(ConceptMaps, AnExactTargetGoesBeforeAWiderOne) {
  ConceptMaps maps;
  maps.add(read(resource("urn:cm", R"(,"group":[{"element":[
      {"code":"a","target":[{"code":"w","equivalence":"wider"},{"code":"e","equivalence":"equal"}]},
      {"code":"b","target":[{"code":"w","equivalence":"wider"},{"code":"v","equivalence":"wider"}]},
      {"code":"c","target":[{"code":"e","equivalence":"equal"},{"code":"e","equivalence":"equivalent"}]},
      {"code":"d","target":[{"code":"y","equivalence":"equal","dependsOn":[{"property":"p","value":"v"}]},
                            {"code":"z","equivalence":"relatedto"}]}]}])")));
  EXPECT_EQ(said(maps, "urn:cm", "", "a"), "|e|");
  EXPECT_EQ(said(maps, "urn:cm", "", "b"), "several");
  EXPECT_EQ(said(maps, "urn:cm", "", "c"), "|e|");
  EXPECT_EQ(said(maps, "urn:cm", "", "d"), "|z|");
}

std::string withUnmapped(const std::string& url, const std::string& unmapped) {
  return resource(url, R"(,"group":[{"source":"urn:s","target":"urn:t","element":[{"code":"L","target":[
      {"code":"x","equivalence":"narrower"}]}],"unmapped":)" +
                           unmapped + "}]");
}

TEST(ConceptMaps, WhatIsNotListedIsTreatedAsTheMapSays) {
  ConceptMaps maps;
  maps.add(read(withUnmapped("urn:provided", R"({"mode":"provided"})")));
  maps.add(read(withUnmapped("urn:source", R"({"mode":"use-source-code"})")));
  maps.add(read(withUnmapped("urn:fixed", R"({"mode":"fixed","code":"unk","display":"Unknown"})")));
  maps.add(read(withUnmapped("urn:other", R"({"mode":"other-map","url":"urn:fixed"})")));
  maps.add(read(withUnmapped("urn:otherR5", R"({"mode":"other-map","otherMap":"urn:other"})")));
  maps.add(read(withUnmapped("urn:lost", R"({"mode":"other-map","url":"urn:nowhere"})")));
  maps.add(read(withUnmapped("urn:circle", R"({"mode":"other-map","url":"urn:circle"})")));
  EXPECT_EQ(said(maps, "urn:provided", "urn:s", "Q"), "urn:s|Q|");
  EXPECT_EQ(said(maps, "urn:source", "", "Q"), "urn:s|Q|");
  EXPECT_EQ(said(maps, "urn:fixed", "urn:s", "Q"), "urn:t|unk|Unknown");
  EXPECT_EQ(said(maps, "urn:other", "urn:s", "Q"), "urn:t|unk|Unknown");
  EXPECT_EQ(said(maps, "urn:otherR5", "urn:s", "Q"), "urn:t|unk|Unknown");
  EXPECT_EQ(said(maps, "urn:lost", "urn:s", "Q"), "none");
  EXPECT_EQ(said(maps, "urn:circle", "urn:s", "Q"), "endless");
  EXPECT_EQ(said(maps, "urn:fixed", "urn:s", "L"), "none") << "it is listed, as one that has no usable target";
}

TEST(ConceptMaps, AreFoundByCanonicalAndVersion) {
  const auto version = [](const std::string& number) {
    return read(resource("urn:cm", R"(,"version":")" + number + R"(","group":[{"element":[{"code":"a","target":[
        {"code":")" + number + R"(","equivalence":"equal"}]}]}])"));
  };
  ConceptMaps maps;
  maps.add(version("1"));
  maps.add(version("2"));
  EXPECT_EQ(said(maps, "urn:cm", "", "a"), "|2|");
  EXPECT_EQ(said(maps, "urn:cm|1", "", "a"), "|1|");
  EXPECT_EQ(said(maps, "urn:cm|3", "", "a"), "no map");
  EXPECT_EQ(said(maps, "urn:c", "", "a"), "no map");
}

TEST(ConceptMaps, OtherResourcesAreNoConceptMaps) {
  EXPECT_FALSE(readConceptMap(R"({"resourceType":"Patient"})"));
  EXPECT_FALSE(readConceptMap("{"));
  EXPECT_FALSE(readConceptMap(""));
}

TEST(ConceptMaps, AnOidBecomesTheUriOfItsSystem) {
  EXPECT_EQ(uriOfOid("2.16.840.1.113883.6.96"), "http://snomed.info/sct");
  EXPECT_EQ(uriOfOid("1.2.752.129.2.1.3.1"), "urn:oid:1.2.752.129.2.1.3.1");
  EXPECT_EQ(uriOfOid("3f1c4b9a-0000-4000-8000-000000000001"), "urn:uuid:3f1c4b9a-0000-4000-8000-000000000001");
  EXPECT_EQ(uriOfOid("plain"), "plain");
}

}  // namespace
}  // namespace lotsen::definitions
