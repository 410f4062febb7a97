// A function object that is moved and never copied, so that what it holds has one owner. C++23 has
// std::move_only_function for it.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace district {

template <typename Signature>
class UniqueFunction;

// An empty one must not be called. Threads: one at a time.
template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
      UniqueFunction(F&& function)  // implicit, as with std::function
      : held_(std::make_unique<Holder<std::decay_t<F>>>(std::forward<F>(function))) {}

  explicit operator bool() const { return held_ != nullptr; }
  R operator()(Args... args) { return held_->call(std::forward<Args>(args)...); }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual R call(Args... args) = 0;
  };
  template <typename F>
  struct Holder final : Held {
    explicit Holder(F f) : function(std::move(f)) {}
    R call(Args... args) override { return function(std::forward<Args>(args)...); }
    F function;
  };
  std::unique_ptr<Held> held_;
};

}  // namespace district
