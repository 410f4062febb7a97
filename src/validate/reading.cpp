#include "validate/reading.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "xml/canonicalizer.h"
#include "xml/namespaces.h"

namespace district::validate {
namespace {

constexpr std::size_t kMessagesInOnePart = 1000;
constexpr std::size_t kMessageDepth = 4;  // Body, request, messages, message
constexpr const char* kOneElement = "must hold exactly one element and nothing else";

const ElementMeaning* meaning_of(const ContentType& content, std::string_view element,
                                 std::size_t& next) {
  const std::size_t count = content.elements.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = (next + i) % count;
    if (content.elements[at].element != element) continue;
    next = at + 1;
    return &content.elements[at];
  }
  return nullptr;
}

// The request as self-contained XML without the bulk of `messages`, for the SOAP engine.
std::string without_messages(const std::string& tenant_code) {
  std::string text = "<r:AggregateMessageRequest xmlns:r=\"" + std::string(xml::ns::kUrb) +
                     "\"><messages></messages><r:tenantCode>";
  xml::append_escaped_text(text, tenant_code);
  return text + "</r:tenantCode></r:AggregateMessageRequest>";
}

// The start tag of kContents, inside which the compiled schema of a content type gets every
// gcontent of that type.
xml::StartTag contents_tag() {
  return {{reinterpret_cast<const unsigned char*>(kContents.data()), nullptr, nullptr, 0, nullptr,
           0, nullptr},
          0};
}

}  // namespace

Reading::Impl::Impl(const Schemas& s, BatchTaker t)
    : schemas_(s),
      take_(std::move(t)),
      extract_only_(false),
      service_(std::make_unique<xml::SchemaStream>(*s.service,
                                                   [this](std::string reason) {
                                                     invalid_.add(ErrorCode::schema_invalid,
                                                                  here(std::move(reason)));
                                                   })),
      contents_(s.types.size()) {}

Reading::Impl::Impl(const Schemas& s, BatchTaker t, Instant received)
    : schemas_(s), take_(std::move(t)), extract_only_(true), received_at_(received) {}

void Reading::Impl::begin(const verify::Sender& sender, const verify::TrustPtr& its_trust,
                          Instant now) {
  received_at_ = now;
  rules_.begin(schemas_, sender, its_trust);
}

void Reading::Impl::start_element(const xml::StartTag& tag) {
  if (settled()) return;
  if (buffering_) {
    if (buffer_.start_element(tag)) return;
    judge_buffered();
  } else if (!extract_only_ && shape_good_ && path_.place() == Place::messages &&
             tag.is("", "message") && buffer_.begin(tag)) {
    buffering_ = true;
    return;
  }
  judge_start(tag);
}

void Reading::Impl::text(std::string_view text) {
  if (settled()) return;
  if (buffering_) {
    if (buffer_.text(text)) return;
    judge_buffered();
  }
  judge_text(text);
}

void Reading::Impl::end_element() {
  if (settled()) return;
  if (!buffering_) return judge_end();
  if (buffer_.end_element()) end_buffered();
}

// Hands a buffered message to the schemas.
class Reading::Impl::Judge final : public xml::ElementHandler {
 public:
  explicit Judge(Impl& reading) : reading_(reading) {}
  void start_element(const xml::StartTag& tag) override { reading_.judge_start(tag); }
  void text(std::string_view text) override { reading_.judge_text(text); }
  void end_element() override { reading_.judge_end(); }

 private:
  Impl& reading_;
};

void Reading::Impl::judge_buffered() {
  buffering_ = false;
  Judge judge(*this);
  buffer_.replay(judge);
}

std::size_t Reading::Impl::finding_count() const {
  return shape_.count() + invalid_.count() + messages_.count() + rules_.finding_count();
}

void Reading::Impl::end_buffered() {
  if (accept_like_precedent()) {
    buffering_ = false;
    return;
  }
  const std::size_t found = finding_count();
  const bool all_told = !shape_.full() && !invalid_.full() && !messages_.full();
  judge_buffered();
  if (!all_told || finding_count() != found || !type_) return;
  const ContentType& content = schemas_.types[*type_];
  if (!content.master_data) precedents_.learn(buffer_, *type_, content);
}

// Takes the buffered message as the schemas would take it. If it is not certain that they would
// accept it, gives false and changes nothing: the schemas then judge it and name what is wrong.
bool Reading::Impl::accept_like_precedent() {
  const Precedent* precedent = precedents_.find(buffer_);
  if (precedent == nullptr || !Precedents::admits(*precedent, buffer_)) return false;
  HeadTexts texts;
  fields_.clear();
  for (std::size_t i = 0; i < precedent->leaves.size(); ++i) {
    const auto& known = precedent->leaves[i];
    const auto leaf = buffer_.leaf(i);
    ElementText text{std::string(leaf.text), leaf.line, 1};
    if (known.place == Precedent::Place::timestamp)
      texts.timestamp = std::move(text);
    else if (known.place == Precedent::Place::type)
      texts.type = std::move(text);
    else if (known.place == Precedent::Place::version)
      texts.version = std::move(text);
    else if (known.place == Precedent::Place::source)
      texts.source = std::move(text);
    else if (known.place == Precedent::Place::field)
      fields_.push_back({known.meaning, std::move(text)});
  }
  Findings found;
  const std::uint32_t index = message_index_ + 1;
  const auto head = extract_head(texts, index, path_, received_at_, found);
  const bool same = schemas_.find(head.type, head.version) == precedent->content;
  if (!found.empty() || !same || head.timestamp - received_at_ > limits::kMessageAheadRejected ||
      rules_.broken_by(head, precedent->content))
    return false;
  Batch part;
  extract_fields({index, head, schemas_.types[precedent->content], path_}, fields_,
                 take_ ? &part : nullptr, found);
  if (!found.empty()) return false;

  path_.enter(buffer_.message_tag());  // it counts among its siblings
  path_.leave();
  message_index_ = index;
  if (!take_) return true;
  part.messages.push_back(head);
  batch_.append(part);
  if (batch_.messages.size() >= kMessagesInOnePart && taken_) taken_ = hand_over();
  return true;
}

void Reading::Impl::judge_start(const xml::StartTag& tag) {
  path_.enter(tag);
  if (tag.attribute_count() > 0) refuse_schema_overrides(tag);
  check_shape(tag);
  if (!shape_good_ || path_.depth() < 2) return;
  if (!extract_only_) validate_start(tag);
  switch (path_.place()) {
    case Place::message:
      begin_message();
      break;
    case Place::gcontent:
      begin_content(tag);
      break;
    case Place::value:
    case Place::part:
      begin_field(tag);
      break;
    default:
      if (auto* text = captured()) *text = {{}, tag.line(), path_.position()};
  }
}

// The Body must have one element, the request. If it does not, the violation's path is the Body,
// since there is no request to name.
void Reading::Impl::check_shape(const xml::StartTag& tag) {
  if (path_.depth() != 2) return;
  const bool first = !std::exchange(saw_request_, true);
  if (first && path_.place() == Place::request) return;
  shape_good_ = false;
  shape_.add(ErrorCode::schema_invalid,
             {0, "/Body", tag.line(),
              first ? "holds an element that is not an operation of this service" : kOneElement});
}

// Exclusive C14N leaves the binding of a prefix inside xsi:type unsigned, and xsi:nil would make a
// schema say less than it does: neither has a place in the Body.
void Reading::Impl::refuse_schema_overrides(const xml::StartTag& tag) {
  for (std::size_t i = 0; i < tag.attribute_count(); ++i) {
    const auto attribute = tag.attribute(i);
    if (attribute.uri != xml::ns::kXsi) continue;
    if (attribute.local != "type" && attribute.local != "nil") continue;
    shape_.add(ErrorCode::schema_invalid,
               here("xsi:" + std::string(attribute.local) + " is not accepted"));
  }
}

void Reading::Impl::validate_start(const xml::StartTag& tag) {
  if (!in_gcontent_) {
    service_->start_element(tag);
  } else if (type_) {
    contents_[*type_]->start_element(tag);
  }
}

void Reading::Impl::begin_message() {
  ++message_index_;
  head_texts_ = {};
  head_ = {};
  content_seen_ = false;
  type_.reset();
}

ElementText* Reading::Impl::captured() {
  switch (path_.place()) {
    case Place::timestamp:
      return &head_texts_.timestamp;
    case Place::type:
      return &head_texts_.type;
    case Place::version:
      return &head_texts_.version;
    case Place::source:
      return &head_texts_.source;
    case Place::tenant_code:
      return &tenant_code_;
    case Place::value:
    case Place::part:
      return field_open_ ? &fields_.back().content : nullptr;
    default:
      return nullptr;
  }
}

void Reading::Impl::judge_text(std::string_view text) {
  if (!shape_good_ || path_.depth() < 2) return;
  if (!extract_only_) {
    if (!in_gcontent_) {
      service_->text(text);
    } else if (type_) {
      contents_[*type_]->text(text);
    }
  }
  if (auto* captured_text = captured()) captured_text->text += text;
}

void Reading::Impl::end_head() {
  head_ = extract_head(head_texts_, message_index_, path_, received_at_, messages_);
  type_ = schemas_.find(head_.type, head_.version);
  if (message_index_ == 1) content_.first_source = head_.source;
  if (!extract_only_) check_rules();
  if (!type_) {
    messages_.add(ErrorCode::content_type_unknown,
                  in_head("messageType", head_texts_.type,
                          head_.type + "/" + head_.version + " is not a known type and version"));
  }
}

Violation Reading::Impl::in_head(std::string_view what, const ElementText& text,
                                 std::string reason) const {
  return {message_index_, path_.text_of_child(what, 1), text.line, std::move(reason)};
}

// The contract's header rules beyond what the schema says.
void Reading::Impl::check_rules() {
  if (head_.timestamp - received_at_ > limits::kMessageAheadRejected) {
    messages_.add(ErrorCode::header_rule,
                  in_head("timestamp", head_texts_.timestamp, "is more than 24 hours ahead"));
  }
  rules_.judge(head_, head_texts_, type_,
               [this](std::string_view what, const ElementText& text, std::string reason) {
                 return in_head(what, text, std::move(reason));
               });
}

void Reading::Impl::begin_content(const xml::StartTag& tag) {
  in_gcontent_ = true;
  content_seen_ = true;
  fields_.clear();
  next_meaning_ = 0;
  content_good_ = true;
  if (type_ && !extract_only_) content_schema(*type_).start_element(tag);
}

xml::SchemaStream& Reading::Impl::content_schema(std::size_t type) {
  auto& schema = contents_[type];
  if (!schema) {
    schema =
        std::make_unique<xml::SchemaStream>(schemas_.contents[type], [this](std::string reason) {
          content_good_ = false;
          messages_.add(ErrorCode::schema_invalid, here(std::move(reason)));
        });
    schema->start_element(contents_tag());
  }
  return *schema;
}

// Whether the open element is a field: a child of gcontent or, in master data, of a record.
bool Reading::Impl::is_field() const {
  if (!type_) return false;
  return path_.place() == (schemas_.types[*type_].master_data ? Place::part : Place::value);
}

void Reading::Impl::begin_field(const xml::StartTag& tag) {
  if (!is_field()) return;
  const auto* meaning = meaning_of(schemas_.types[*type_], tag.local(), next_meaning_);
  if (meaning == nullptr) return;
  fields_.push_back({meaning, {{}, tag.line(), path_.position()}});
  field_open_ = true;
}

// At the end of a gcontent or of a record: extracts the values of its fields.
void Reading::Impl::end_group() {
  const ContentType& content = schemas_.types[*type_];
  if (path_.place() != (content.master_data ? Place::value : Place::gcontent)) return;
  if (content_good_ && !fields_.empty()) {
    extract_fields({message_index_, head_, content, path_}, fields_, take_ ? &batch_ : nullptr,
                   messages_);
  }
  fields_.clear();
  next_meaning_ = 0;
}

void Reading::Impl::end_message() {
  if (extract_only_ && !content_seen_) {
    messages_.add(ErrorCode::schema_invalid, here("is not complete"));
  }
  if (!take_) return;
  batch_.messages.push_back(head_);
  if (batch_.messages.size() >= kMessagesInOnePart && taken_) taken_ = hand_over();
}

Result<Ok> Reading::Impl::hand_over() {
  auto done = take_(batch_);
  batch_ = {};
  return done;
}

void Reading::Impl::judge_end() {
  if (shape_good_ && path_.depth() >= 2) {
    // This comes first, because values are extracted only from what is valid.
    if (!extract_only_) validate_end();
    field_open_ = false;
    switch (path_.place()) {
      case Place::head:
        end_head();
        break;
      case Place::value:
      case Place::gcontent:
        if (type_) end_group();
        if (path_.place() == Place::gcontent) in_gcontent_ = false;
        break;
      case Place::message:
        end_message();
        break;
      default:
        break;
    }
  }
  path_.leave();
}

void Reading::Impl::validate_end() {
  if (in_gcontent_ && type_) contents_[*type_]->end_element();
  if (!in_gcontent_ || path_.place() == Place::gcontent) service_->end_element();
}

Violation Reading::Impl::here(std::string reason) const {
  const bool in_message = path_.depth() >= kMessageDepth;
  return {in_message ? message_index_ : 0, path_.text(), path_.line(), std::move(reason)};
}

// Each message is reported with the first kind of finding only. If it breaks the schema of the
// service, or has a refused xsi attribute, nothing else that was read of it can be relied on.
Result<Content> Reading::Impl::conclude(const verify::VerifiedEnvelope& verified) {
  if (!saw_request_) shape_.add(ErrorCode::schema_invalid, {0, "/Body", 0, kOneElement});
  if (!saw_request_ || !shape_good_) return fail(shape_.error());
  Findings found = shape_;
  found.merge_of_other_messages(invalid_);
  auto operation = schemas_.operations.read(without_messages(tenant_code_.text));
  if (!operation && found.empty()) return fail(std::move(operation).error());
  if (operation) {
    const auto broken = rules_.findings_of(operation->tenant_code, verified.sender());
    if (!broken && found.empty()) return fail(broken.error());
    if (broken) messages_.merge(**broken);
    if (broken) found.merge_of_other_messages(messages_);
  }
  if (!found.empty()) return fail(found.error());
  content_.tenant = std::move(operation->tenant_code);
  return finish();
}

Result<Content> Reading::Impl::conclude_extraction() {
  if (message_index_ == 0) return fail(ErrorCode::schema_invalid, "the request has no messages");
  for (const Findings* findings : {&shape_, &messages_})
    if (!findings->empty()) return fail(ErrorCode::schema_invalid, findings->error().detail);
  content_.tenant = collapse_xml_space(tenant_code_.text);
  return finish();
}

Result<Content> Reading::Impl::finish() {
  DISTRICT_CHECK(taken_);
  if (take_ && !batch_.messages.empty()) DISTRICT_CHECK(hand_over());
  content_.message_count = message_index_;
  return std::move(content_);
}

Reading::Reading(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reading::~Reading() = default;
Reading::Reading(Reading&&) noexcept = default;

void Reading::begin(const verify::Sender& sender, const verify::TrustPtr& trust, Instant now) {
  impl_->begin(sender, trust, now);
}
void Reading::start_element(const xml::StartTag& tag) { impl_->start_element(tag); }
void Reading::text(std::string_view text) { impl_->text(text); }
void Reading::end_element() { impl_->end_element(); }

Result<Content> Reading::conclude(const verify::VerifiedEnvelope& verified) {
  if (!verified.was_read_by(*this))
    return fail(ErrorCode::internal, "the envelope that was verified is not the one that was read");
  return impl_->conclude(verified);
}

}  // namespace district::validate
