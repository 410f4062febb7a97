// The inside of a Reading. Private to validate/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "validate/extraction.h"
#include "validate/findings.h"
#include "validate/place.h"
#include "validate/precedent.h"
#include "validate/schemas.h"
#include "validate/tenant_rules.h"
#include "validate/validator.h"
#include "xml/schema.h"

namespace district::validate {

struct Reading::Impl {
  // Of a request that is being verified.
  Impl(const Schemas& s, BatchTaker t);
  // Of an envelope that was accepted: no schemas, no rules.
  Impl(const Schemas& s, BatchTaker t, Instant received);

  void begin(const verify::Sender& sender, const verify::TrustPtr& its_trust, Instant now);
  void start_element(const xml::StartTag& tag);
  void text(std::string_view text);
  void end_element();
  Result<Content> conclude(const verify::VerifiedEnvelope& verified);
  Result<Content> conclude_extraction();

 private:
  class Judge;
  // What the schemas get to judge: everything except messages like one that they have accepted.
  void judge_start(const xml::StartTag& tag);
  void judge_text(std::string_view text);
  void judge_end();
  void judge_buffered();
  void end_buffered();
  bool accept_like_precedent();
  // Whether the verdict is certain. The rest is then not looked at, since the sender would choose
  // how much work that is.
  bool settled() const { return shape_.full() || invalid_.full(); }
  std::size_t finding_count() const;
  void check_shape(const xml::StartTag& tag);
  void refuse_schema_overrides(const xml::StartTag& tag);
  void validate_start(const xml::StartTag& tag);
  void begin_message();
  void end_head();
  void begin_content(const xml::StartTag& tag);
  void begin_field(const xml::StartTag& tag);
  void end_group();
  void end_message();
  void check_rules();
  Violation in_head(std::string_view what, const ElementText& text, std::string reason) const;
  bool is_field() const;
  ElementText* captured();
  xml::SchemaStream& content_schema(std::size_t type);
  Violation here(std::string reason) const;
  void validate_end();
  Result<Content> finish();
  Result<Ok> hand_over();

  const Schemas& schemas_;
  const BatchTaker take_;
  const bool extract_only_;
  Instant received_at_{};
  TenantRules rules_;

  bool buffering_ = false;  // a message is kept until its end
  MessageBuffer buffer_;
  Precedents precedents_;

  Path path_;
  bool shape_good_ = true;
  bool saw_request_ = false;
  bool in_gcontent_ = false;
  std::unique_ptr<xml::SchemaStream> service_;
  std::vector<std::unique_ptr<xml::SchemaStream>> contents_;  // by type, where one was needed

  std::uint32_t message_index_ = 0;  // of the open or last message
  HeadTexts head_texts_;
  MessageHead head_;
  bool content_seen_ = false;        // of the open message
  std::optional<std::size_t> type_;  // of the open message's content
  bool content_good_ = true;         // its content schema has found nothing
  std::size_t next_meaning_ = 0;     // where to look first: elements come in the schema's order
  std::vector<Field> fields_;
  bool field_open_ = false;
  ElementText tenant_code_;
  Content content_;
  Batch batch_;
  Result<Ok> taken_;

  Findings shape_, invalid_, messages_;  // the earlier ones hide the later ones
};

}  // namespace district::validate
