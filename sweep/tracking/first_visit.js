// MLflow's pages open on language models, with an assistant at the side that takes the charts'
// room, unless told otherwise; what a user chose stays.
const first = { "mlflow.workflowType_v1": "machine_learning",
                "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": true };
for (const [key, value] of Object.entries(first)) {
  if (localStorage.getItem(key) === null) localStorage.setItem(key, JSON.stringify(value));
}
