"""pyhf's names for what can go wrong, for `except` clauses: each is what histjax raises in the same place.

Where pyhf draws finer lines, or other ones, than histjax, a name is a tuple of classes, which `except` takes as well.
They are for catching, not for raising.
"""

from histjax import errors
from histjax.interop.pyhf import schema

FailedMinimization = errors.FailedFit
UnspecifiedPOI = errors.MissingPOI
InvalidSpecification = errors.InvalidDocument, errors.InvalidPatch, errors.InvalidOperation
InvalidModel = errors.InvalidModel, errors.InvalidDocument, errors.MissingPOI, errors.UnknownName
InvalidNameReuse = errors.InvalidDocument
InvalidModifier = errors.InvalidDocument, errors.InvalidModel
InvalidMeasurement = errors.UnknownName, errors.InvalidDocument
InvalidPdfParameters = errors.InvalidModel
InvalidPdfData = errors.InvalidModel
InvalidTestStatistic = errors.UnknownName
InvalidInterpCode = errors.UnknownName
InvalidPatchSet = errors.InvalidPatch
InvalidPatchLookup = errors.UnknownName
InvalidWorkspaceOperation = errors.InvalidOperation, errors.InvalidDocument, errors.UnknownName
PatchSetVerificationError = errors.InvalidPatch
SchemaNotFound = schema.SchemaNotFound
Unsupported = errors.InvalidModel, errors.UnknownName
