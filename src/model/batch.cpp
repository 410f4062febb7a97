#include "model/batch.h"

namespace district {

const char* name_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::interval:
      return "interval";
    case ValueKind::mean:
      return "mean";
    case ValueKind::instant:
      return "instant";
    case ValueKind::reading:
      return "register";
  }
  return "";
}

}  // namespace district
