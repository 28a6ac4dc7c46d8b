// Profiles, extensions and message definitions, each rule on a small definition of its own.
#include "tests/validation/known.h"

namespace lotsen::validation {
namespace {

std::string patient(std::string_view content) {
  return R"({"resourceType":"Patient")" + std::string(content.empty() ? "" : ",") + std::string(content) + "}";
}

TEST(Profiles, ChecksCardinality) {
  const Known known({profile(kUrl, "Patient",
                             R"({"path":"Patient.name","min":1},{"path":"Patient.photo","max":"0"},
                                {"path":"Patient.telecom","max":"1"},{"path":"Patient.telecom.system","min":1})")});
  EXPECT_EQ(known.byProfile(patient(R"("name":[{"text":"x"}])")), "");
  EXPECT_EQ(known.byProfile(patient("")), "cardinality-min Patient\n");
  EXPECT_EQ(known.byProfile(patient(R"("name":[{"text":"x"}],"photo":[{"url":"urn:x"}])")),
            "cardinality-max Patient.photo[0]\n");
  EXPECT_EQ(known.byProfile(patient(R"("name":[{"text":"x"}],"telecom":[{"system":"fax"},{"rank":1}])")),
            "cardinality-max Patient.telecom[1]\ncardinality-min Patient.telecom[1]\n");
}

TEST(Profiles, ChecksFixedValuesAndPatterns) {
  const Known known({profile(kUrl, "Observation",
                             R"({"path":"Observation.status","fixedCode":"final"},
                  {"path":"Observation.code","patternCodeableConcept":{"coding":[{"system":"urn:s","code":"c"}]}},
                  {"path":"Observation.method","fixedCodeableConcept":{"text":"m"}})")});
  const auto observation = [](std::string_view code, std::string_view more = "") {
    return R"({"resourceType":"Observation","status":"final","code":)" + std::string(code) + std::string(more) + "}";
  };
  EXPECT_EQ(known.byProfile(observation(R"({"text":"t","coding":[{"code":"a"},{"system":"urn:s","code":"c"}]})")), "");
  EXPECT_EQ(known.byProfile(observation(R"({"coding":[{"system":"urn:s","code":"d"}]})")),
            "pattern Observation.code\n");
  EXPECT_EQ(known.byProfile(observation(R"({"coding":[{"system":"urn:s","code":"c"}]})", R"(,"method":{"text":"m"})")),
            "");
  EXPECT_EQ(known.byProfile(observation(R"({"coding":[{"system":"urn:s","code":"c"}]})",
                                        R"(,"method":{"text":"m","coding":[{"code":"x"}]})")),
            "fixed Observation.method\n");
}

TEST(Profiles, ChecksBoundsAndLength) {
  const Known known(
      {profile(
           kUrl, "Observation",
           R"({"path":"Observation.valueQuantity","minValueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"kg"}},
                                {"path":"Observation.note.text","maxLength":3})"),
       profile("http://t.se/q", "Patient", R"({"path":"Patient.birthDate","minValueDate":"1900-01-01"})")});
  const auto weight = [](std::string_view value, std::string_view code) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":)" +
           std::string(value) + R"(,"system":"http://unitsofmeasure.org","code":")" + std::string(code) + "\"}}";
  };
  EXPECT_EQ(known.byProfile(weight("1.0", "kg")), "");
  EXPECT_EQ(known.byProfile(weight("0.9", "kg")), "min-value Observation.value.ofType(Quantity)\n");
  EXPECT_EQ(known.byProfile(weight("999", "g")), "min-value Observation.value.ofType(Quantity)\n");
  EXPECT_EQ(known.byProfile(weight("0.9", "m")), "");
  EXPECT_EQ(
      known.byProfile(
          R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"note":[{"text":"åäö"},{"text":"abcd"}]})"),
      "max-length Observation.note[1].text\n");
  Options options;
  options.profiles.emplace_back("http://t.se/q");
  EXPECT_EQ(known.faults(patient(R"("birthDate":"1899-12-31")"), options), "min-value Patient.birthDate\n");
}

std::string sliced(std::string_view rules, std::string_view more = "") {
  return profile(
      kUrl, "Patient",
      R"({"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],)" +
          std::string(rules) +
          R"(}},{"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","min":1,"max":"1"},
                        {"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:a"},
                        {"id":"Patient.identifier:a.value","path":"Patient.identifier.value","min":1},
                        {"id":"Patient.identifier:b","path":"Patient.identifier","sliceName":"b","max":"1"},
                        {"id":"Patient.identifier:b.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:b"})" +
          std::string(more));
}

std::string identified(const std::vector<std::string>& systems) {
  std::string list;
  for (const std::string& system : systems) {
    list += (list.empty() ? "" : ",") + std::string(R"({"value":"1","system":"urn:)") + system + "\"}";
  }
  return patient(R"("identifier":[)" + list + "]");
}

TEST(Profiles, AskOfOneElementOfAnotherProfile) {
  const std::string element =
      R"("extension":[{"url":"http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element",
      "valueString":"Composition.section:plan"}])";
  const Known known(
      {profile(
           "http://t.se/sections", "Composition",
           R"({"path":"Composition.section","slicing":{"discriminator":[{"type":"value","path":"code"}],"rules":"open"}},
              {"path":"Composition.section","sliceName":"plan"},{"path":"Composition.section.title","min":1},
              {"path":"Composition.section.code","patternCodeableConcept":{"coding":[{"code":"plan"}]}})"),
       profile(
           kUrl, "Composition",
           R"({"path":"Composition.section","slicing":{"discriminator":[{"type":"value","path":"code"}],"rules":"open"}},
              {"path":"Composition.section","sliceName":"mine","min":1,"type":[{"code":"BackboneElement",
                "profile":["http://t.se/sections"],"_profile":[{)" +
               element + "}]}]}")});
  const auto composition = [](std::string_view sections) {
    return R"({"resourceType":"Composition","status":"final","type":{"text":"x"},"date":"2026-01-01","title":"x",
        "author":[{"display":"x"}],"section":[)" +
           std::string(sections) + "]}";
  };
  const std::string plan = R"("code":{"coding":[{"code":"plan"}]},"entry":[{"display":"x"}])";
  EXPECT_EQ(known.byProfile(composition(R"({"title":"x",)" + plan + "}")), "");
  EXPECT_EQ(known.byProfile(composition("{" + plan + "}")), "cardinality-min Composition.section[0]\n");
  EXPECT_EQ(known.byProfile(composition(R"({"title":"x","code":{"text":"x"},"entry":[{"display":"x"}]})")),
            "slice-min Composition\n");
}

TEST(Profiles, AskForAValueOrAnExtensionThatSaysWhyThereIsNone) {
  const auto ofR5 = [](std::string_view name, std::string_view value) {
    return R"("extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.)" +
           std::string(name) + R"(",)" + std::string(value) + "}]";
  };
  const std::string absent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
  const Known known({profile(kUrl, "Patient",
                             R"({"path":"Patient.active",)" + ofR5("mustHaveValue", R"("valueBoolean":true)") +
                                 R"(},{"path":"Patient.birthDate",)" +
                                 ofR5("valueAlternatives", R"("valueCanonical":")" + absent + "\"") + "}")});
  const std::string reason = R"({"extension":[{"url":")" + absent + R"(","valueCode":"unknown"}]})";
  const std::string other = R"({"extension":[{"url":"http://example.org/other","valueCode":"unknown"}]})";
  EXPECT_EQ(known.byProfile(patient(R"("active":true,"_birthDate":)" + reason)), "");
  EXPECT_EQ(known.byProfile(patient("")), "");
  EXPECT_EQ(known.byProfile(patient(R"("_active":)" + reason)), "value-missing Patient.active\n");
  EXPECT_EQ(known.byProfile(patient(R"("_birthDate":)" + other)), "value-missing Patient.birthDate\n");
}

TEST(Slicing, ByValue) {
  const Known known({sliced(R"("rules":"open")")});
  EXPECT_EQ(known.byProfile(identified({"b", "a", "c", "c"})), "");
  EXPECT_EQ(known.byProfile(identified({"b"})), "slice-min Patient\n");
  EXPECT_EQ(known.byProfile(patient("")), "slice-min Patient\n");
  EXPECT_EQ(known.byProfile(identified({"a", "b", "b"})), "slice-max Patient.identifier[2]\n");
  EXPECT_EQ(known.byProfile(patient(R"("identifier":[{"value":"1","system":"urn:b"},{"system":"urn:a"}])")),
            "cardinality-min Patient.identifier[1]\n");
}

TEST(Slicing, ClosedOrderedAndOpenAtEnd) {
  const Known closed({sliced(R"("rules":"closed")")});
  EXPECT_EQ(closed.byProfile(identified({"b", "a"})), "");
  EXPECT_EQ(closed.byProfile(identified({"a", "c"})), "slice-closed Patient.identifier[1]\n");
  const Known ordered({sliced(R"("ordered":true,"rules":"open")")});
  EXPECT_EQ(ordered.byProfile(identified({"a", "c", "b"})), "");
  EXPECT_EQ(ordered.byProfile(identified({"b", "a"})), "slice-order Patient.identifier[1]\n");
  const Known end({sliced(R"("rules":"openAtEnd")")});
  EXPECT_EQ(end.byProfile(identified({"b", "a", "c"})), "");
  EXPECT_EQ(end.byProfile(identified({"a", "c", "b"})), "slice-order Patient.identifier[2]\n");
}

TEST(Slicing, SlicesOfSlices) {
  const Known known({profile(
      kUrl, "Patient",
      R"({"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}},
         {"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","slicing":{"discriminator":[{"type":"value","path":"use"}],"rules":"closed"}},
         {"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:a"},
         {"id":"Patient.identifier:a/old","path":"Patient.identifier","sliceName":"a/old","min":1,"max":"1"},
         {"id":"Patient.identifier:a/old.use","path":"Patient.identifier.use","min":1,"fixedCode":"old"},
         {"id":"Patient.identifier:a/old.period","path":"Patient.identifier.period","min":1})")});
  const auto with = [&](const std::string& more) {
    return known.byProfile(patient(R"("identifier":[{"system":"urn:a",)" + more + R"(},{"system":"urn:b"}])"));
  };
  EXPECT_EQ(with(R"("use":"old","period":{"end":"2020"})"), "");
  EXPECT_EQ(with(R"("use":"old")"), "cardinality-min Patient.identifier[0]\n");
  EXPECT_EQ(with(R"("use":"usual")"), "slice-min Patient\nslice-closed Patient.identifier[0]\n");
}

TEST(Slicing, ByExistsTypeAndProfile) {
  const Known exists({profile(
      kUrl, "Patient",
      R"({"id":"Patient.name","path":"Patient.name","slicing":{"discriminator":[{"type":"exists","path":"period"}],"rules":"open"}},
         {"id":"Patient.name:old","path":"Patient.name","sliceName":"old"},
         {"id":"Patient.name:old.period","path":"Patient.name.period","min":1},
         {"id":"Patient.name:old.use","path":"Patient.name.use","min":1},
         {"id":"Patient.name:new","path":"Patient.name","sliceName":"new","max":"1"},
         {"id":"Patient.name:new.period","path":"Patient.name.period","max":"0"})")});
  EXPECT_EQ(exists.byProfile(patient(R"("name":[{"text":"x"},{"text":"y","period":{"end":"2020"}}])")),
            "cardinality-min Patient.name[1]\n");
  EXPECT_EQ(exists.byProfile(patient(R"("name":[{"text":"x"},{"text":"y"}])")), "slice-max Patient.name[1]\n");

  const Known type({profile(
      kUrl, "Observation",
      R"({"id":"Observation.value[x]","path":"Observation.value[x]","slicing":{"discriminator":[{"type":"type","path":"$this"}],"rules":"closed"}},
         {"id":"Observation.value[x]:valueQuantity","path":"Observation.value[x]","sliceName":"valueQuantity","type":[{"code":"Quantity"}]},
         {"id":"Observation.value[x]:valueQuantity.unit","path":"Observation.value[x].unit","min":1})")});
  const std::string start = R"({"resourceType":"Observation","status":"final","code":{"text":"x"},)";
  EXPECT_EQ(type.byProfile(start + R"("valueQuantity":{"value":1}})"),
            "cardinality-min Observation.value.ofType(Quantity)\n");
  EXPECT_EQ(type.byProfile(start + R"("valueString":"1"})"), "slice-closed Observation.value.ofType(string)\n");

  const Known byProfile(
      {profile(
           kUrl, "Bundle",
           R"({"id":"Bundle.entry","path":"Bundle.entry","slicing":{"discriminator":[{"type":"profile","path":"resource"}],"rules":"open"}},
         {"id":"Bundle.entry:named","path":"Bundle.entry","sliceName":"named","min":1},
         {"id":"Bundle.entry:named.resource","path":"Bundle.entry.resource","min":1,"type":[{"code":"Patient","profile":["http://t.se/named"]}]})"),
       profile("http://t.se/named", "Patient", R"({"path":"Patient.name","min":1})")});
  const auto bundle = [](std::string_view resource) {
    return R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":)" +
           std::string(resource) + "}]}";
  };
  EXPECT_EQ(byProfile.byProfile(bundle(patient(R"("name":[{"text":"x"}])"))), "");
  EXPECT_EQ(byProfile.byProfile(bundle(patient(""))), "slice-min Bundle\n");
}

TEST(Profiles, ChecksBindingsByStrength) {
  const std::string codes =
      R"({"resourceType":"ValueSet","url":"http://t.se/vs","status":"active","compose":{"include":[{"system":"urn:s","concept":[{"code":"a"}]}]}})";
  const auto bound = [&](std::string_view strength, std::string_view set) {
    return Known({codes, profile(kUrl, "Observation",
                                 R"({"path":"Observation.method","binding":{"strength":")" + std::string(strength) +
                                     R"(","valueSet":")" + std::string(set) + "\"}}")});
  };
  const auto observation = [](std::string_view code) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"method":{"coding":[{"system":"urn:s","code":")" +
           std::string(code) + "\"}]}}";
  };
  EXPECT_EQ(bound("required", "http://t.se/vs").byProfile(observation("a")), "");
  EXPECT_EQ(bound("required", "http://t.se/vs").byProfile(observation("b")), "binding Observation.method\n");
  EXPECT_EQ(bound("extensible", "http://t.se/vs").byProfile(observation("b")), "");
  EXPECT_EQ(bound("extensible", "http://t.se/vs").byProfile(observation("b"), fhir::Severity::Warning),
            "binding Observation.method\n");
  EXPECT_EQ(bound("required", "http://t.se/other").byProfile(observation("b"), fhir::Severity::Information),
            "binding-unknown Observation.method\n");
}

TEST(Profiles, ChecksTheirInvariants) {
  const Known known({profile(
      kUrl, "Patient",
      R"x({"path":"Patient","constraint":[{"key":"t-1","severity":"error","human":"a name or a photo","expression":"name.exists() or photo.exists()"},
                                          {"key":"t-2","severity":"warning","human":"better active","expression":"active"}]})x")});
  EXPECT_EQ(known.byProfile(patient(R"("active":false)")), "t-1 Patient\n");
  EXPECT_EQ(known.byProfile(patient(R"("active":false,"name":[{"text":"x"}])"), fhir::Severity::Warning),
            "t-2 Patient\n");
}

TEST(Profiles, FollowsReferencesInTheDocument) {
  const Known known(
      {profile(
           kUrl, "Patient",
           R"({"path":"Patient.managingOrganization","type":[{"code":"Reference","targetProfile":["http://t.se/org"]}]})"),
       profile("http://t.se/org", "Organization", R"({"path":"Organization.name","min":1})")});
  const auto managed = [](std::string_view organization) {
    return patient(R"("contained":[{"resourceType":"Organization","id":"o",)" + std::string(organization) +
                   R"(}],"managingOrganization":{"reference":"#o"})");
  };
  EXPECT_EQ(known.byProfile(managed(R"("name":"x")")), "");
  EXPECT_EQ(known.byProfile(managed(R"("alias":["x"])")),
            "org-1 Patient.contained[0].ofType(Organization)\nreference-profile Patient.managingOrganization\n");
  EXPECT_EQ(known.byProfile(patient(R"("managingOrganization":{"reference":"Organization/1"})")), "");
}

TEST(Profiles, ChecksAggregation) {
  const Known known({profile(
      kUrl, "Patient",
      R"({"path":"Patient.managingOrganization","type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"],"aggregation":["contained"]}]})")});
  EXPECT_EQ(known.byProfile(patient(R"("managingOrganization":{"reference":"Organization/1"})")),
            "aggregation Patient.managingOrganization\n");
}

TEST(Profiles, AreClaimedInMeta) {
  const Known known({profile(kUrl, "Patient", R"({"path":"Patient.name","min":1})")});
  EXPECT_EQ(known.faults(patient(R"("meta":{"profile":["http://t.se/p"]})")), "cardinality-min Patient\n");
  EXPECT_EQ(known.faults(R"({"resourceType":"Basic","meta":{"profile":["http://t.se/p"]},"code":{"text":"x"}})"),
            "profile-type Basic.meta.profile[0]\n");
  const std::string other = patient(R"("meta":{"profile":["http://t.se/other"]})");
  EXPECT_EQ(known.faults(other, {}, fhir::Severity::Warning), "profile-unknown Patient.meta.profile[0]\n");
  Options options;
  options.unknownProfiles = Policy::Error;
  EXPECT_EQ(known.faults(other, options), "profile-unknown Patient.meta.profile[0]\n");
  options.unknownProfiles = Policy::Ignore;
  EXPECT_EQ(known.faults(other, options, fhir::Severity::Information), "");
  options.profiles.emplace_back("http://t.se/other");
  EXPECT_EQ(known.faults(patient(""), options), "profile-unknown Patient\n");
}

TEST(Slicing, IsAskedForByInvariants) {
  const std::string slicing =
      R"({"path":"Patient.name","slicing":{"discriminator":[{"type":"value","path":"use"}],"rules":"open"}},
         {"path":"Patient.name","sliceName":"mine"},{"path":"Patient.name.use","min":1,"fixedCode":"usual"},)";
  const auto rule = [&](std::string_view name) {
    return profile(
        kUrl, "Patient",
        R"({"path":"Patient","constraint":[{"key":"t-1","severity":"error","human":"x","expression":"name.slice('http://t.se/p', ')" +
            std::string(name) + R"(').text = 'Kim'"}]},)" + slicing.substr(0, slicing.size() - 1));
  };
  const Known known({rule("mine")});
  EXPECT_EQ(known.byProfile(patient(R"("name":[{"text":"Alva"},{"use":"usual","text":"Kim"}])")), "");
  EXPECT_EQ(known.byProfile(patient(R"("name":[{"text":"Kim"},{"use":"usual","text":"Alva"}])")), "t-1 Patient\n");
  const Known other({rule("nobody")});
  EXPECT_EQ(other.byProfile(patient(R"("name":[{"text":"Kim"}])")), "");
  EXPECT_EQ(other.byProfile(patient(R"("name":[{"text":"Kim"}])"), fhir::Severity::Warning), "t-1 Patient\n");
}

TEST(Extensions, ByTheirDefinitionAndContext) {
  const Known known({profile("http://t.se/e", "Extension",
                             R"({"path":"Extension.url","fixedUri":"http://t.se/e"},
                                {"path":"Extension.value[x]","min":1,"type":[{"code":"boolean"}]})",
                             R"("context":[{"type":"element","expression":"Patient.name"}],)")});
  const auto named = [](std::string_view extension) {
    return patient(R"("name":[{"text":"x","extension":[)" + std::string(extension) + "]}]");
  };
  EXPECT_EQ(known.faults(named(R"({"url":"http://t.se/e","valueBoolean":true})")), "");
  EXPECT_EQ(known.faults(named(R"({"url":"http://t.se/e","valueString":"x"})")),
            "type Patient.name[0].extension[0].value.ofType(string)\n");
  EXPECT_EQ(known.faults(patient(R"("extension":[{"url":"http://t.se/e","valueBoolean":true}])")),
            "extension-context Patient.extension[0]\n");
  EXPECT_EQ(known.faults(named(R"({"url":"e","valueBoolean":true})")), "extension-url Patient.name[0].extension[0]\n");
}

TEST(Extensions, UnknownOnesAreAPolicy) {
  const Known known({});
  const std::string unknown = patient(R"("extension":[{"url":"http://t.se/u","valueBoolean":true}])");
  EXPECT_EQ(known.faults(unknown), "");
  EXPECT_EQ(known.faults(unknown, {}, fhir::Severity::Warning), "extension-unknown Patient.extension[0]\n");
  Options options;
  options.unknownExtensions = Policy::Error;
  EXPECT_EQ(known.faults(unknown, options), "extension-unknown Patient.extension[0]\n");
  options.unknownExtensions = Policy::Ignore;
  EXPECT_EQ(known.faults(patient(R"("modifierExtension":[{"url":"http://t.se/u","valueBoolean":true}])"), options),
            "extension-unknown Patient.modifierExtension[0]\n");
}

TEST(Messages, AreHeldAgainstTheirDefinition) {
  const Known known(
      {R"({"resourceType":"MessageDefinition","url":"http://t.se/m","status":"draft","date":"2026","eventCoding":{"system":"urn:e","code":"refer"},
           "focus":[{"code":"Task","min":1,"max":"1"}]})"});
  const auto message = [](std::string_view event, std::string_view focus) {
    return R"({"resourceType":"Bundle","type":"message","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":
      {"resourceType":"MessageHeader","definition":"http://t.se/m","source":{"endpoint":"urn:x"},"eventCoding":{"system":"urn:e","code":")" +
           std::string(event) + "\"}" + std::string(focus) +
           R"(}},{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521","resource":{"resourceType":"Task","status":"requested","intent":"order"}},
           {"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239522","resource":{"resourceType":"Patient"}}]})";
  };
  const std::string task = R"({"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521"})";
  const std::string person = R"({"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239522"})";
  const std::string header = " Bundle.entry[0].resource.ofType(MessageHeader)";
  EXPECT_EQ(known.faults(message("refer", R"(,"focus":[)" + task + "]")), "");
  EXPECT_EQ(known.faults(message("refer", "")), "message-focus" + header + "\n");
  EXPECT_EQ(known.faults(message("other", R"(,"focus":[)" + task + "]")),
            "message-event" + header + ".event.ofType(Coding)\n");
  EXPECT_EQ(known.faults(message("refer", R"(,"focus":[)" + task + "," + person + "]")),
            "message-focus" + header + ".focus[1]\n");
  // An acknowledgement has the event of its request, and neither its definition nor its focus.
  std::string answer =
      message("refer", R"(,"response":{"identifier":"c757873d-ec9a-4326-a141-556f43239520","code":"ok"})");
  const std::string definition = R"("definition":"http://t.se/m",)";
  answer.erase(answer.find(definition), definition.size());
  EXPECT_EQ(known.faults(answer), "");
}

}  // namespace
}  // namespace lotsen::validation
