-- Argo CD's health of an McpHub, derived from its conditions.
-- A problem that needs a person is Degraded; one that resolves without help is
-- Progressing. A hub with one backend down still serves: it is Healthy, and the message
-- names the backend.

local function find(conditions, kind)
  for _, condition in ipairs(conditions or {}) do
    if condition.type == kind then
      return condition
    end
  end
  return {}
end

local function health(status, message)
  return { status = status, message = message or "" }
end

if obj.status == nil or obj.status.conditions == nil then
  return health("Progressing", "The operator has not seen the hub yet")
end

if obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not seen the last change yet")
end

local conditions = obj.status.conditions
local ready = find(conditions, "Ready")
local stalled = find(conditions, "Stalled")
local secrets = find(conditions, "SecretsResolved")
local backends = find(conditions, "BackendsReachable")

if find(conditions, "Paused").status == "True" then
  return health("Suspended", "spec.paused is true: the operator changes nothing")
end

if stalled.status == "True" then
  return health("Degraded", stalled.message)
end

if secrets.status == "False" then
  return health("Degraded", secrets.message)
end

if ready.reason == "ScaledToZero" then
  return health("Suspended", ready.message)
end

if find(conditions, "Reconciling").status == "True" then
  return health("Progressing", ready.message)
end

if ready.status ~= "True" then
  return health("Degraded", ready.message)
end

if backends.status == "False" then
  return health("Healthy", backends.message)
end

return health("Healthy", ready.message)
