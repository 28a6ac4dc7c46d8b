#include "gateway/inbound/openapi.h"

namespace lotsen::inbound {

// clang-format off
const char* const kOpenApi = R"openapi({
 "openapi": "3.0.3",
 "info": {
  "title": "Lotsen",
  "version": "1",
  "description": "Referral, consent and payment commitment records in; transfers and their timelines out. Every fault is a FHIR OperationOutcome that says what happened, where, and what to do. No answer of /api/v1 but a delivery's body holds patient data."
 },
 "security": [
  {
   "bearer": []
  }
 ],
 "paths": {
  "/intake/{system}/{kind}": {
   "post": {
    "summary": "Hand in a source record",
    "description": "Answered after the record is stored durably. A repeat (same key, same content) gets the stored answer. The key is (partner, Idempotency-Key), or else the record's id and version.",
    "parameters": [
     {
      "name": "system",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      },
      "example": "pas"
     },
     {
      "name": "kind",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string"
      },
      "example": "referral"
     },
     {
      "name": "Idempotency-Key",
      "in": "header",
      "schema": {
       "type": "string",
       "minLength": 1,
       "maxLength": 200
      }
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "description": "mappings/pas/*.schema.json"
       }
      }
     }
    },
    "responses": {
     "202": {
      "description": "Stored. Location names the transfer.",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Accepted"
        }
       }
      },
      "headers": {
       "Location": {
        "schema": {
         "type": "string"
        }
       }
      }
     },
     "400": {
      "description": "Not JSON, or not UTF-8",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "401": {
      "description": "No known token",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "403": {
      "description": "The token lacks the permission, or the record names another sender",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "404": {
      "description": "No such channel",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "409": {
      "description": "Same key, other content; nothing stored",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "413": {
      "description": "Over the size limit; refused before reading",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "415": {
      "description": "Not JSON by its media type",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "422": {
      "description": "Breaks the record's schema or an identifier's rule; nothing stored",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "503": {
      "description": "Takes nothing in at the moment; Retry-After says when to try again",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     }
    }
   }
  },
  "/fhir/$process-message": {
   "post": {
    "summary": "Exchange a FHIR message (synchronous)",
    "description": "A message for a local system becomes a transfer; an acknowledgement is bound to the message it names and is never acknowledged itself. MessageHeader.id is the identity: a repeat gets the stored answer.",
    "requestBody": {
     "required": true,
     "content": {
      "application/fhir+json": {
       "schema": {
        "type": "object"
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "The response message: MessageHeader.response names the request",
      "content": {
       "application/fhir+json": {
        "schema": {
         "type": "object"
        }
       }
      }
     },
     "202": {
      "description": "An acknowledgement was taken in"
     },
     "400": {
      "description": "Not JSON",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "401": {
      "description": "No known token",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "403": {
      "description": "Sender is not the authenticated partner",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "409": {
      "description": "Same MessageHeader.id, other content",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "413": {
      "description": "Too large",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "415": {
      "description": "Not FHIR JSON",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "422": {
      "description": "Not a valid message Bundle; nothing stored",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "503": {
      "description": "Try again later",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     }
    }
   }
  },
  "/fhir/metadata": {
   "get": {
    "summary": "CapabilityStatement",
    "responses": {
     "200": {
      "description": "CapabilityStatement",
      "content": {
       "application/fhir+json": {
        "schema": {
         "type": "object"
        }
       }
      }
     }
    }
   }
  },
  "/api/v1/transfers": {
   "get": {
    "summary": "Transfers, newest first",
    "description": "A partner sees its own; an operator sees all.",
    "parameters": [
     {
      "name": "state",
      "in": "query",
      "schema": {
       "$ref": "#/components/schemas/TransferState"
      }
     },
     {
      "name": "partner",
      "in": "query",
      "schema": {
       "type": "string"
      }
     },
     {
      "name": "after",
      "in": "query",
      "schema": {
       "type": "string",
       "format": "uuid"
      },
      "description": "the last id of the page before"
     }
    ],
    "responses": {
     "200": {
      "description": "One page",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "transfers": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Transfer"
           }
          },
          "next": {
           "type": "string",
           "description": "link to the next page, if there may be one"
          }
         },
         "required": [
          "transfers"
         ]
        }
       }
      }
     },
     "400": {
      "description": "Unknown state",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "401": {
      "description": "No known token",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "403": {
      "description": "No permission to read",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     }
    }
   }
  },
  "/api/v1/transfers/{id}": {
   "get": {
    "summary": "One transfer with records, deliveries, attempts and timeline",
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string",
       "format": "uuid"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "The transfer",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/TransferDetail"
        }
       }
      }
     },
     "401": {
      "description": "No known token",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "404": {
      "description": "No such transfer, or another partner's",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     }
    }
   }
  },
  "/api/v1/deliveries/{id}/body": {
   "get": {
    "summary": "The bytes of one delivery (patient data; operators only)",
    "parameters": [
     {
      "name": "id",
      "in": "path",
      "required": true,
      "schema": {
       "type": "string",
       "format": "uuid"
      }
     }
    ],
    "responses": {
     "200": {
      "description": "As sent, with its media type"
     },
     "403": {
      "description": "Operators only",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     },
     "404": {
      "description": "No such delivery, or no bytes yet",
      "content": {
       "application/fhir+json": {
        "schema": {
         "$ref": "#/components/schemas/OperationOutcome"
        }
       }
      }
     }
    }
   }
  },
  "/api/v1/openapi.json": {
   "get": {
    "summary": "This description",
    "responses": {
     "200": {
      "description": "OpenAPI 3.0"
     }
    }
   }
  },
  "/metrics": {
   "get": {
    "summary": "Prometheus metrics",
    "security": [],
    "responses": {
     "200": {
      "description": "Text exposition format"
     }
    }
   }
  },
  "/health/live": {
   "get": {
    "summary": "May the process live on",
    "security": [],
    "responses": {
     "200": {
      "description": "Yes"
     },
     "503": {
      "description": "Restart it; the reasons are in the body"
     }
    }
   }
  },
  "/health/ready": {
   "get": {
    "summary": "May it get work",
    "security": [],
    "responses": {
     "200": {
      "description": "Yes"
     },
     "503": {
      "description": "Not now; the reasons are in the body"
     }
    }
   }
  }
 },
 "components": {
  "securitySchemes": {
   "bearer": {
    "type": "http",
    "scheme": "bearer"
   }
  },
  "schemas": {
   "TransferState": {
    "type": "string",
    "enum": [
     "waiting",
     "released",
     "completed",
     "withdrawn",
     "parked"
    ]
   },
   "RecordState": {
    "type": "string",
    "enum": [
     "accepted",
     "processed",
     "parked"
    ]
   },
   "RecordKind": {
    "type": "string",
    "enum": [
     "referral",
     "consent",
     "btf",
     "message",
     "acknowledgement"
    ]
   },
   "DeliveryState": {
    "type": "string",
    "enum": [
     "held",
     "queued",
     "ready",
     "leased",
     "awaiting",
     "resolving",
     "done",
     "parked",
     "cancelled"
    ]
   },
   "Role": {
    "type": "string",
    "enum": [
     "provider",
     "mediator",
     "pas",
     "receipt",
     "patient-letter",
     "clinician-letter",
     "recall",
     "local"
    ]
   },
   "ReasonCode": {
    "type": "string",
    "description": "docs/gates.md and docs/reasons.md say what each means and what to do",
    "enum": [
     "referral-missing",
     "referral-revoked",
     "assessment-missing",
     "assessment-not-lotsas",
     "protected-identity-stop",
     "agreement-unknown",
     "agreement-not-valid",
     "receiver-mismatch",
     "documents-missing",
     "consent-missing",
     "consent-entered-in-error",
     "consent-declined",
     "consent-withdrawn",
     "consent-not-active",
     "consent-basis-unknown",
     "consent-internal-basis",
     "silence-not-consent",
     "silence-unproven",
     "consent-in-future",
     "consent-other-patient",
     "consent-other-referral",
     "consent-other-receiver",
     "btf-missing",
     "btf-not-active",
     "btf-other-patient",
     "btf-other-referral",
     "btf-other-receiver",
     "btf-no-start",
     "btf-no-end",
     "btf-too-short",
     "btf-not-yet-valid",
     "btf-expired",
     "btf-not-approved",
     "btf-before-consent",
     "btf-chapter-missing",
     "btf-reimbursement-missing",
     "btf-reimbursement-owner",
     "mapping-failed",
     "canonical-invalid",
     "source-unaccounted",
     "no-route",
     "delivery-parked",
     "record-parked",
     "changed-after-sending",
     "letter-incomplete",
     "message-failed",
     "superseded",
     "transient-error-acknowledged",
     "fatal-error-acknowledged",
     "acknowledgement-of-another-message",
     "refused-400",
     "credentials-refused",
     "refused-404",
     "refused-405",
     "refused-406",
     "receiver-timeout",
     "conflict",
     "refused-410",
     "refused-413",
     "refused-415",
     "refused-422",
     "receiver-busy",
     "receiver-failed",
     "refused-501",
     "proxy-failed",
     "unexpected-status",
     "unreachable",
     "answer-lost",
     "ambiguous-needs-person",
     "deadline-passed"
    ]
   },
   "Reason": {
    "type": "object",
    "properties": {
     "code": {
      "$ref": "#/components/schemas/ReasonCode"
     },
     "text": {
      "type": "string"
     },
     "path": {
      "type": "string",
      "description": "FHIRPath, record kind or role"
     },
     "remedy": {
      "type": "string"
     },
     "textSv": {
      "type": "string"
     },
     "remedySv": {
      "type": "string"
     }
    },
    "required": [
     "code",
     "text",
     "path",
     "remedy"
    ]
   },
   "Accepted": {
    "type": "object",
    "properties": {
     "transfer": {
      "type": "string",
      "format": "uuid"
     },
     "record": {
      "type": "string",
      "format": "uuid"
     },
     "status": {
      "type": "string",
      "enum": [
       "accepted"
      ]
     },
     "receivedAt": {
      "type": "string",
      "format": "date-time"
     }
    },
    "required": [
     "transfer",
     "record",
     "status",
     "receivedAt"
    ]
   },
   "Transfer": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string",
      "format": "uuid"
     },
     "partner": {
      "type": "string"
     },
     "case": {
      "type": "string",
      "description": "the referral's id in the source system"
     },
     "state": {
      "$ref": "#/components/schemas/TransferState"
     },
     "agreement": {
      "type": "string"
     },
     "reasons": {
      "type": "array",
      "items": {
       "$ref": "#/components/schemas/Reason"
      }
     },
     "createdAt": {
      "type": "string",
      "format": "date-time"
     },
     "changedAt": {
      "type": "string",
      "format": "date-time"
     }
    },
    "required": [
     "id",
     "partner",
     "case",
     "state",
     "reasons"
    ]
   },
   "Record": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string",
      "format": "uuid"
     },
     "kind": {
      "$ref": "#/components/schemas/RecordKind"
     },
     "channel": {
      "type": "string"
     },
     "partner": {
      "type": "string"
     },
     "businessId": {
      "type": "string"
     },
     "version": {
      "type": "integer"
     },
     "state": {
      "$ref": "#/components/schemas/RecordState"
     },
     "reason": {
      "$ref": "#/components/schemas/ReasonCode"
     },
     "digest": {
      "type": "string"
     },
     "mapHash": {
      "type": "string"
     },
     "configRevision": {
      "type": "string"
     },
     "issues": {
      "$ref": "#/components/schemas/OperationOutcome"
     },
     "receivedAt": {
      "type": "string",
      "format": "date-time"
     }
    },
    "required": [
     "id",
     "kind",
     "state"
    ]
   },
   "Attempt": {
    "type": "object",
    "properties": {
     "number": {
      "type": "integer"
     },
     "node": {
      "type": "string"
     },
     "claimedAt": {
      "type": "string",
      "format": "date-time"
     },
     "sentAt": {
      "type": "string",
      "format": "date-time"
     },
     "endedAt": {
      "type": "string",
      "format": "date-time"
     },
     "outcome": {
      "type": "string"
     },
     "phase": {
      "type": "string"
     },
     "httpStatus": {
      "type": "integer"
     },
     "responseDigest": {
      "type": "string"
     }
    },
    "required": [
     "number"
    ]
   },
   "Delivery": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string",
      "format": "uuid"
     },
     "role": {
      "$ref": "#/components/schemas/Role"
     },
     "partner": {
      "type": "string"
     },
     "endpoint": {
      "type": "string"
     },
     "state": {
      "$ref": "#/components/schemas/DeliveryState"
     },
     "reason": {
      "$ref": "#/components/schemas/ReasonCode"
     },
     "messageId": {
      "type": "string",
      "format": "uuid"
     },
     "bundleId": {
      "type": "string",
      "format": "uuid"
     },
     "mediaType": {
      "type": "string"
     },
     "mapHash": {
      "type": "string"
     },
     "after": {
      "type": "array",
      "items": {
       "type": "string",
       "format": "uuid"
      }
     },
     "createdAt": {
      "type": "string",
      "format": "date-time"
     },
     "dueAt": {
      "type": "string",
      "format": "date-time"
     },
     "deadlineAt": {
      "type": "string",
      "format": "date-time"
     },
     "finishedAt": {
      "type": "string",
      "format": "date-time"
     },
     "attemptCount": {
      "type": "integer"
     },
     "attempts": {
      "type": "array",
      "items": {
       "$ref": "#/components/schemas/Attempt"
      }
     },
     "release": {
      "type": "object",
      "properties": {
       "basis": {
        "type": "string"
       },
       "consentRecord": {
        "type": "string",
        "format": "uuid"
       },
       "btfRecord": {
        "type": "string",
        "format": "uuid"
       },
       "validFrom": {
        "type": "string",
        "format": "date-time"
       },
       "validUntil": {
        "type": "string",
        "format": "date-time"
       }
      }
     }
    },
    "required": [
     "id",
     "role",
     "partner",
     "endpoint",
     "state",
     "attempts"
    ]
   },
   "TimelineEntry": {
    "type": "object",
    "properties": {
     "at": {
      "type": "string",
      "format": "date-time"
     },
     "actor": {
      "type": "string",
      "description": "partner, gateway, or operator:<name>"
     },
     "action": {
      "type": "string"
     },
     "subject": {
      "type": "string",
      "description": "record or delivery"
     },
     "detail": {
      "type": "object"
     }
    },
    "required": [
     "at",
     "actor",
     "action"
    ]
   },
   "TransferDetail": {
    "allOf": [
     {
      "$ref": "#/components/schemas/Transfer"
     },
     {
      "type": "object",
      "properties": {
       "records": {
        "type": "array",
        "items": {
         "$ref": "#/components/schemas/Record"
        }
       },
       "deliveries": {
        "type": "array",
        "items": {
         "$ref": "#/components/schemas/Delivery"
        }
       },
       "timeline": {
        "type": "array",
        "items": {
         "$ref": "#/components/schemas/TimelineEntry"
        }
       }
      },
      "required": [
       "records",
       "deliveries",
       "timeline"
      ]
     }
    ]
   },
   "OperationOutcome": {
    "type": "object",
    "description": "http://hl7.org/fhir/R4/operationoutcome.html"
   }
  }
 }
})openapi";
// clang-format on

}  // namespace lotsen::inbound
