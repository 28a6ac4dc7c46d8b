// What compiling refuses, where it points, and what it resolves beforehand.
#include "gateway/fhir/r4/types.h"
#include "tests/fhirpath/evaluate.h"

#include <set>

namespace lotsen::fhirpath {
namespace {

std::string refusal(std::string_view text, fhir::TypeId context, bool strict, fhir::Position at = {1, 1}) {
  CompileOptions options;
  options.context = context;
  options.strict = strict;
  auto program = Program::compile(text, fhir::Schema::r4(), options, at);
  return program ? "" : program.error().message;
}

TEST(Compile, FaultsPointIntoTheFileAndSuggest) {
  EXPECT_EQ(refusal("name\n  .gven", fhir::r4::kPatient, true, {7, 20}),
            "8:4: HumanName has no element 'gven'; did you mean 'given'?");
  EXPECT_EQ(refusal("name.wher(true)", fhir::kNone, false), "1:6: there is no function wher(); did you mean 'where'?");
  EXPECT_EQ(refusal("%resorce", fhir::kNone, false), "1:1: there is no variable %resorce; did you mean 'resource'?");
  EXPECT_EQ(refusal("name.skip()", fhir::kNone, false), "1:6: skip() takes 1 arguments, not 0");
}

TEST(Compile, StrictRefusesWhatCannotBeRight) {
  const auto patient = [](std::string_view text) { return refusal(text, fhir::r4::kPatient, true); };
  EXPECT_NE(patient("name.given1"), "");
  EXPECT_NE(patient("Encounter.name"), "");
  EXPECT_NE(patient("deceasedBoolean"), "");
  EXPECT_NE(patient("children().skip(1)"), "");
  EXPECT_NE(patient("children()[0]"), "");
  EXPECT_NE(patient("(deceased as boolean).start"), "");
  EXPECT_NE(patient("iif('x', 1, 2)"), "");
  EXPECT_EQ(patient("photo.startsWith('x')"), "1:7: startsWith() needs text, not Attachment");
  EXPECT_NE(patient("contact.name.where(uze = 'x')"), "");
  EXPECT_EQ(patient("Patient.contact.name.where(use = 'x').period.start"), "");
  EXPECT_EQ(patient("DomainResource.contained.whatever"), "");
  EXPECT_EQ(patient("deceased.ofType(boolean) | multipleBirth.ofType(integer)"), "");
  EXPECT_EQ(patient("birthDate.extension('x').value.ofType(Period).start"), "");
  EXPECT_EQ(patient("extension.where(url = 'x').extension.value"), "");
}

TEST(Compile, StrictRefusesTypesThatNoValueSuits) {
  const auto patient = [](std::string_view text) { return refusal(text, fhir::r4::kPatient, true); };
  EXPECT_EQ(patient("birthDate.substring('a')"), "1:21: an Integer is needed here, not String");
  EXPECT_EQ(patient("name.skip(true)"), "1:11: an Integer is needed here, not Boolean");
  EXPECT_EQ(patient("name['a']"), "1:6: an Integer is needed here, not String");
  EXPECT_EQ(patient("id.startsWith(name)"), "1:15: text is needed here, not HumanName");
  EXPECT_EQ(patient("extension(name)"), "1:11: text is needed here, not HumanName");
  EXPECT_EQ(patient("gender.abs()"), "1:8: abs() needs a number, not code");
  EXPECT_EQ(patient("gender * 2"), "1:8: '*' cannot be done with code and Integer");
  EXPECT_EQ(patient("active < 1"), "1:8: '<' cannot be done with boolean and Integer");
  EXPECT_EQ(patient("birthDate + 1"), "1:11: '+' cannot be done with date and Integer");
  EXPECT_EQ(patient("birthDate > '2000'"), "1:11: '>' cannot be done with date and String");
  EXPECT_EQ(patient("name & 'x'"), "1:6: '&' cannot be done with HumanName and String");
  EXPECT_EQ(patient("-gender"), "1:1: a sign can stand only before a number or a quantity, not before code");
  EXPECT_EQ(patient("iif('x', 1)"), "1:1: a Boolean is needed here, not String");
  EXPECT_EQ(patient("'abc'.name"), "1:7: String has no element 'name'");
  EXPECT_EQ(patient("birthDate + 1 year < today() and id & 1 = 'x' and multipleBirth < 3"), "");
  EXPECT_EQ(patient("extension.value + 1 | extension.value.substring(extension.value)"), "");
  EXPECT_EQ(patient("contained.foo < 'x' or contained.foo * 2 > 1"), "");
  EXPECT_EQ(refusal("gender * 2", fhir::r4::kPatient, false), "");
}

TEST(Compile, LenientWarnsAndGoesOn) {
  const auto document = readDocument(kBundle);
  const fhir::Element* observation =
      fhir::child(*document, fhir::child(*document, document->root(), "entry")->next, "resource");
  CompileOptions options;
  options.context = observation->type;
  auto program = Program::compile("valueQuantity.value > 70 and wrong.empty()", fhir::Schema::r4(), options);
  ASSERT_TRUE(program.ok());
  ASSERT_EQ(program->warnings().size(), 2U);
  EXPECT_NE(program->warnings()[0].find("value.ofType(Quantity)"), std::string::npos);
  EXPECT_EQ(evaluated("valueQuantity.value > 70 and wrong.empty()", document.get(), observation, options),
            "System.Boolean:true");
  // Also when the type of the focus is not known.
  EXPECT_EQ(evaluated("entry.resource.valueQuantity.unit", document.get()), "FHIR.string:kg");
  EXPECT_EQ(evaluated("entry.resource.effectiveDateTime.yearOf()", document.get()), "System.Integer:2026");
  EXPECT_EQ(evaluated("entry.resource.birthDate", document.get()), "FHIR.date:1980-02-29");
}

TEST(Compile, WarningsAndPatternsOfOneProgramAreBounded) {
  std::string many = "name.wrong0";
  for (int i = 1; i < 200; ++i) many += " | name.wrong" + std::to_string(i);
  CompileOptions options;
  options.context = fhir::r4::kPatient;
  auto program = Program::compile(many, fhir::Schema::r4(), options);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program->warnings().size(), 50U);
  // Patterns beyond those a plan keeps are compiled when they are needed.
  std::string patterns = "'a7'.matches('a0')";
  for (int i = 1; i < 40; ++i) patterns += " or 'a" + std::to_string(i) + "'.matchesFull('b" + std::to_string(i) + "')";
  EXPECT_EQ(evaluated(patterns), "System.Boolean:false");
  EXPECT_EQ(evaluated(patterns + " or 'x'.matchesFull('x')"), "System.Boolean:true");
}

TEST(Compile, PublishedInvariantsAreAcceptedStrictly) {
  const auto schema = fhir::Schema::r4();
  // Faults of R4 as published: an element that the type does not have, and a choice that is a decimal as well.
  const std::set<std::string_view> faulty = {"cid-0", "ras-1"};
  std::size_t count = 0;
  const auto check = [&](fhir::TypeId type, fhir::DefId context, const fhir::ElementDef& def) {
    for (const fhir::Constraint& constraint : schema->constraints(def)) {
      CompileOptions options;
      options.context = type;
      options.contextDef = context;
      options.strict = !faulty.contains(schema->text(constraint.key));
      auto program = Program::compile(schema->text(constraint.expression), schema, options);
      EXPECT_TRUE(program.ok()) << schema->text(constraint.key) << ": "
                                << (program.ok() ? "" : program.error().message);
      ++count;
    }
  };
  for (fhir::TypeId id = 1; id < schema->typeCount(); ++id) {
    if (schema->type(id).root != fhir::kNone) check(id, fhir::kNone, schema->def(schema->type(id).root));
  }
  for (fhir::DefId id = 1; id < schema->defCount(); ++id) {
    for (const fhir::TypeRef& type : schema->types(schema->def(id))) check(type.type, id, schema->def(id));
  }
  EXPECT_GT(count, 1000U);
}

TEST(Compile, SlotsAreReadByNumberAndChecked) {
  const auto document = readDocument(kBundle);
  const fhir::Element* patient = fhir::child(*document, fhir::child(*document, document->root(), "entry"), "resource");
  CompileOptions options;
  options.strict = true;
  options.context = patient->type;
  options.slots = {{"src", patient->type, fhir::kNone, true},
                   {"v", fhir::r4::kCode, fhir::kNone, true},
                   {"hidden", fhir::kNone, fhir::kNone, false}};
  Value source;
  source.node = patient;
  Value text;
  text.kind = Kind::String;
  text.text = "M";
  const Value three[] = {text, text, text};
  const std::span<const Value> slots[] = {{&source, 1}, {&text, 1}, three};
  Environment environment;
  environment.slots = slots;
  const auto value = [&](std::string_view expression) {
    return evaluated(expression, document.get(), patient, options, environment);
  };
  EXPECT_EQ(value("(v = 'M')"), "System.Boolean:true");
  EXPECT_EQ(value("%v & v"), "System.String:MM");
  EXPECT_EQ(value("src.name.where(use = 'nickname').given"), "FHIR.string:Evis");
  EXPECT_EQ(value("%hidden.count()"), "System.Integer:3");
  EXPECT_EQ(value("src.nam"), "error: 1:5: Patient has no element 'nam'; did you mean 'name'?");
  EXPECT_NE(value("hidden").find("error"), std::string::npos);
  EXPECT_EQ(value("name.select(v).first()"), "System.String:M");
}

TEST(Compile, UntypedRecordsAreNavigatedByText) {
  const auto document =
      readDocument(R"({"okänd": [{"fältet": "x", "antal": 3, "ja": true}], "name": "N", "tal": 1.50})");
  EXPECT_EQ(evaluated("`okänd`.`fältet`", document.get()), "FHIR.Element:x");
  EXPECT_EQ(evaluated("`okänd`.antal + 1", document.get()), "System.Integer:4");
  EXPECT_EQ(evaluated("`okänd`.where(ja).antal is Integer", document.get()), "System.Boolean:true");
  EXPECT_EQ(evaluated("name & tal", document.get()), "System.String:N1.50");
}

}  // namespace
}  // namespace lotsen::fhirpath
