#include "gateway/fhir/element.h"

#include "gateway/fhir/forms.h"
#include "gateway/fhir/r4/types.h"

#include <gtest/gtest.h>

namespace lotsen::fhir {
namespace {

class ElementTree : public ::testing::Test {
 protected:
  ElementTree() : schema_(Schema::r4()), document_(schema_) { patient_ = document_.createRoot(r4::kPatient); }

  const Property& property(const Element* parent, std::string_view name) {
    return *schema_->property(schema_->shapeOf(parent->def, parent->type), schema_->findName(name));
  }
  Element* add(Element* parent, std::string_view name, std::string_view value = {}) {
    Element* node = document_.append(parent, property(parent, name));
    if (!value.empty()) document_.setValue(node, value);
    return node;
  }
  std::string json() { return writeJson(document_); }

  std::shared_ptr<const Schema> schema_;
  Document document_;
  Element* patient_ = nullptr;
};

TEST_F(ElementTree, KeepsSameNamedSiblingsTogether) {
  add(add(patient_, "name"), "family", "A");
  add(patient_, "gender", "male");
  add(add(patient_, "name"), "family", "B");
  add(patient_, "deceasedBoolean", "true");
  EXPECT_EQ(
      json(),
      R"({"resourceType":"Patient","name":[{"family":"A"},{"family":"B"}],"gender":"male","deceasedBoolean":true})");
}

TEST_F(ElementTree, TellsPathsWithIndexesWhereElementsRepeat) {
  Element* name = add(patient_, "name");
  add(name, "given", "A");
  Element* second = add(name, "given", "B");
  EXPECT_EQ(pathOf(document_, second), "Patient.name[0].given[1]");
  EXPECT_EQ(pathOf(document_, patient_), "Patient");
  EXPECT_EQ(valueAt(document_, patient_, "name.given"), "A");
  EXPECT_EQ(valueAt(document_, patient_, "name.family"), "");
}

TEST_F(ElementTree, RemovesFromEveryPlaceOfARun) {
  const auto build = [&] {
    std::vector<Element*> nodes;
    for (const char* value : {"A", "B", "C"}) {
      nodes.push_back(add(patient_, "name"));
      add(nodes.back(), "text", value);
    }
    return nodes;
  };
  const std::string gender = R"("gender":"male")";
  for (std::size_t gone = 0; gone < 3; ++gone) {
    auto nodes = build();
    Element* other = add(patient_, "gender", "male");
    document_.remove(nodes[gone]);
    add(add(patient_, "name"), "text", "D");
    std::string names;
    for (const Element* node = child(document_, patient_, "name"); node != nullptr && node->name == nodes[0]->name;
         node = node->next) {
      names += node->first->value();
    }
    EXPECT_EQ(names, std::vector<std::string>({"BCD", "ACD", "ABD"})[gone]);
    document_.remove(other);
    while (patient_->first != nullptr) document_.remove(patient_->first);
    EXPECT_EQ(patient_->last, nullptr);
  }
}

TEST_F(ElementTree, ClonesIntoAnotherDocument) {
  add(add(patient_, "name"), "family", "A");
  add(add(patient_, "name"), "family", "B");
  Document other(schema_);
  other.createRoot(r4::kBundle);
  Element* copy = other.clone(document_, patient_);
  document_.setValue(patient_->first->first, "changed");
  EXPECT_EQ(writeJson(other, copy), R"({"resourceType":"Patient","name":[{"family":"A"},{"family":"B"}]})");
  const Property& entryProperty = *schema_->property(schema_->type(r4::kBundle).shape, schema_->findName("entry"));
  Element* entry = other.append(other.root(), entryProperty);
  other.attach(entry, *schema_->property(schema_->shapeOf(entry->def, entry->type), schema_->findName("resource")),
               copy);
  EXPECT_EQ(pathOf(other, copy->first), "Bundle.entry[0].resource.ofType(Patient).name[0]");
}

TEST_F(ElementTree, InternsNamesOfItsOwn) {
  const NameId known = document_.intern("birthDate");
  EXPECT_EQ(known, schema_->findName("birthDate"));
  const NameId local = document_.intern("vårdgaranti");
  EXPECT_GE(local, kLocalNames);
  EXPECT_EQ(document_.intern("vårdgaranti"), local);
  EXPECT_EQ(document_.nameText(local), "vårdgaranti");
}

TEST_F(ElementTree, AppendingToTwoLongListsInTurnIsLinear) {
  for (int i = 0; i < 100'000; ++i) {
    add(patient_, "name");
    add(patient_, "telecom");
  }
  EXPECT_EQ(patient_->first->runLast->next->name, schema_->findName("telecom"));
}

}  // namespace
}  // namespace lotsen::fhir
