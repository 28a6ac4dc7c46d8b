#include "gateway/fhir/schema.h"

#include "gateway/fhir/r4/types.h"
#include "gateway/fhir/schema_builder.h"

#include <gtest/gtest.h>

#include <set>

namespace lotsen::fhir {
namespace {

std::string nameOf(const Schema& schema, TypeId type) {
  return std::string(schema.nameText(schema.type(type).name));
}

const Property* find(const Schema& schema, TypeId type, std::string_view name) {
  return schema.property(schema.type(type).shape, schema.findName(name));
}

TEST(Schema, FindsTypesByNameAndCanonical) {
  const auto schema = Schema::r4();
  EXPECT_EQ(schema->findType("Patient"), r4::kPatient);
  EXPECT_EQ(schema->findType("http://hl7.org/fhir/StructureDefinition/Patient"), r4::kPatient);
  EXPECT_EQ(schema->findType("http://hl7.org/fhir/StructureDefinition/Patient|4.0.1"), r4::kPatient);
  EXPECT_EQ(schema->findType("patient"), kNone);
  EXPECT_EQ(schema->findType("family"), kNone);
  EXPECT_EQ(schema->findType(""), kNone);
  EXPECT_EQ(schema->typeCount() - 1, 209U);
}

TEST(Schema, EveryRowIsWhole) {
  const auto schema = Schema::r4();
  for (TypeId id = 1; id < schema->typeCount(); ++id) {
    const Type& type = schema->type(id);
    EXPECT_EQ(schema->findType(schema->nameText(type.name)), id);
    EXPECT_EQ(schema->findType(schema->text(type.url)), id);
    EXPECT_EQ(schema->text(schema->def(type.root).path), schema->nameText(type.name));
    std::set<NameId> names;
    for (const Property& property : schema->properties(type.shape)) {
      EXPECT_TRUE(names.insert(property.name).second) << nameOf(*schema, id);
      EXPECT_EQ(schema->property(type.shape, property.name), &property);
      const ElementDef& def = schema->def(property.def);
      EXPECT_TRUE(def.choice || property.type != kNone) << schema->text(def.path);
      EXPECT_GE(schema->types(def).size(), 1U) << schema->text(def.path);
      for (const Constraint& constraint : schema->constraints(def))
        EXPECT_FALSE(schema->text(constraint.expression).empty());
    }
  }
}

TEST(Schema, KnowsWhatDerivesFromWhat) {
  const auto schema = Schema::r4();
  EXPECT_TRUE(schema->isA(r4::kPatient, r4::kDomainResource));
  EXPECT_TRUE(schema->isA(r4::kPatient, r4::kResource));
  EXPECT_FALSE(schema->isA(r4::kBundle, r4::kDomainResource));
  EXPECT_TRUE(schema->isA(r4::kAge, r4::kQuantity));
  EXPECT_TRUE(schema->isA(r4::kCode, r4::kString));
  EXPECT_TRUE(schema->type(r4::kDomainResource).abstract);
}

TEST(Schema, ExpandsChoices) {
  const auto schema = Schema::r4();
  const Property* quantity = find(*schema, r4::kObservation, "valueQuantity");
  ASSERT_NE(quantity, nullptr);
  EXPECT_EQ(quantity->type, r4::kQuantity);
  EXPECT_EQ(schema->nameText(schema->def(quantity->def).name), "value");
  EXPECT_EQ(schema->text(schema->def(quantity->def).path), "Observation.value[x]");
  EXPECT_TRUE(schema->def(quantity->def).choice);
  const Property* bare = find(*schema, r4::kObservation, "value");
  ASSERT_NE(bare, nullptr);
  EXPECT_EQ(bare->def, quantity->def);
  EXPECT_EQ(bare->type, kNone);
  EXPECT_EQ(find(*schema, r4::kObservation, "valueAddress"), nullptr);
}

TEST(Schema, KnowsBackbonesAndContentReferences) {
  const auto schema = Schema::r4();
  const Property* contact = find(*schema, r4::kPatient, "contact");
  ASSERT_NE(contact, nullptr);
  EXPECT_EQ(contact->type, r4::kBackboneElement);
  const ShapeId shape = schema->shapeOf(contact->def, contact->type);
  EXPECT_NE(schema->property(shape, schema->findName("organization")), nullptr);
  EXPECT_EQ(schema->property(shape, schema->findName("birthDate")), nullptr);
  const Property* section = find(*schema, r4::kComposition, "section");
  const ShapeId sectionShape = schema->shapeOf(section->def, section->type);
  const Property* inner = schema->property(sectionShape, schema->findName("section"));
  EXPECT_EQ(schema->shapeOf(inner->def, inner->type), sectionShape);
}

TEST(Schema, KnowsCardinalityTargetsAndTypesOfIds) {
  const auto schema = Schema::r4();
  const ElementDef& subject = schema->def(find(*schema, r4::kServiceRequest, "subject")->def);
  EXPECT_EQ(subject.min, 1U);
  EXPECT_EQ(subject.max, 1U);
  const auto types = schema->types(subject);
  ASSERT_EQ(types.size(), 1U);
  EXPECT_EQ(types[0].type, r4::kReference);
  EXPECT_EQ(schema->targets(types[0]).size(), 4U);
  EXPECT_EQ(schema->def(find(*schema, r4::kPatient, "name")->def).max, kUnbounded);
  EXPECT_EQ(find(*schema, r4::kPatient, "id")->type, r4::kId);
  EXPECT_EQ(find(*schema, r4::kHumanName, "id")->type, r4::kString);
  EXPECT_EQ(find(*schema, r4::kExtension, "url")->type, r4::kUri);
}

TEST(Schema, TellsConstraintsOnceAndRepairsTheFaultyOnes) {
  const auto schema = Schema::r4();
  const auto keys = [&](DefId def) {
    std::set<std::string> result;
    for (const Constraint& constraint : schema->constraints(schema->def(def)))
      result.emplace(schema->text(constraint.key));
    return result;
  };
  EXPECT_EQ(keys(schema->type(r4::kPatient).root),
            (std::set<std::string>{"dom-2", "dom-3", "dom-4", "dom-5", "dom-6"}));
  EXPECT_EQ(keys(find(*schema, r4::kPatient, "contact")->def), (std::set<std::string>{"pat-1"}));
  EXPECT_EQ(keys(find(*schema, r4::kPatient, "name")->def), (std::set<std::string>{}));
  EXPECT_TRUE(keys(schema->type(r4::kHumanName).root).contains("ele-1"));
  const ElementDef& entry = schema->def(find(*schema, r4::kBundle, "entry")->def);
  for (const Constraint& constraint : schema->constraints(entry)) {
    if (schema->text(constraint.key) != "bdl-8") continue;
    EXPECT_EQ(schema->text(constraint.expression), "fullUrl.exists() implies fullUrl.contains('/_history/').not()");
  }
}

TEST(Schema, EnumeratesRequiredValueSets) {
  const auto schema = Schema::r4();
  const std::string gender = "http://hl7.org/fhir/ValueSet/administrative-gender";
  const std::string system = "http://hl7.org/fhir/administrative-gender";
  using Membership = Schema::Membership;
  EXPECT_EQ(schema->inValueSet(gender, "", "female"), Membership::In);
  EXPECT_EQ(schema->inValueSet(gender + "|4.0.1", system, "female"), Membership::In);
  EXPECT_EQ(schema->inValueSet(gender, "http://example.org", "female"), Membership::NotIn);
  EXPECT_EQ(schema->inValueSet(gender, "", "kvinna"), Membership::NotIn);
  EXPECT_EQ(schema->inValueSet(gender, "", "active"), Membership::NotIn);
  EXPECT_EQ(schema->inValueSet("http://hl7.org/fhir/ValueSet/mimetypes", "", "text/plain"), Membership::Unknown);
  EXPECT_EQ(schema->inValueSet("http://example.org/none", "", "x"), Membership::Unknown);
  const ElementDef& def = schema->def(find(*schema, r4::kPatient, "gender")->def);
  EXPECT_EQ(schema->text(def.valueSet), gender);
  EXPECT_EQ(def.strength, Strength::Required);
}

TEST(SchemaBuilder, AddsTypesToACopy) {
  const auto base = Schema::r4();
  SchemaBuilder builder(*base);
  const TypeId record = builder.declare("Record", "http://example.org/Record", TypeKind::Logical, r4::kElement);
  const ShapeId shape = builder.reserveShape();
  const std::vector<SchemaBuilder::NewTypeRef> types = {{r4::kInteger, {}}};
  const DefId weight =
      builder.add({.path = builder.string("Record.weight"), .name = builder.string("vikt")}, types, {});
  const std::vector<Property> properties = {{builder.string("vikt"), weight, r4::kInteger}};
  builder.fill(shape, properties);
  builder.complete(record, shape, kNone);
  const std::vector<std::pair<std::string_view, std::string_view>> codes = {{"urn:x", "röd"}, {"urn:x", "blå"}};
  builder.addValueSet("http://example.org/colours", codes);
  const auto once = std::move(builder).build();
  const auto schema = SchemaBuilder(*once).build();  // a copy of a copy

  EXPECT_EQ(base->findType("Record"), kNone);
  EXPECT_EQ(schema->findType("Record"), record);
  EXPECT_EQ(schema->findType("http://example.org/Record|1.0"), record);
  EXPECT_EQ(schema->findType("Patient"), r4::kPatient);
  const Property* property = find(*schema, record, "vikt");
  ASSERT_NE(property, nullptr);
  EXPECT_EQ(schema->types(schema->def(property->def))[0].type, r4::kInteger);
  EXPECT_EQ(schema->inValueSet("http://example.org/colours", "urn:x", "röd"), Schema::Membership::In);
  EXPECT_EQ(schema->inValueSet("http://example.org/colours", "", "grön"), Schema::Membership::NotIn);
}

TEST(SchemaBuilder, ATypeNameThatIsTakenKeepsItsMeaning) {
  SchemaBuilder builder(*Schema::r4());
  const TypeId own = builder.declare("Patient", "http://example.org/Patient", TypeKind::Logical, kNone);
  const auto schema = std::move(builder).build();
  EXPECT_EQ(schema->findType("Patient"), r4::kPatient);
  EXPECT_EQ(schema->findType("http://example.org/Patient"), own);
}

}  // namespace
}  // namespace lotsen::fhir
