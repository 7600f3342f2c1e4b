"""How many pods there are: by hand, and by an autoscaler."""

from tests.helpers.cluster.kubectl import Namespace, order_service


def test_kubectl_scale_scales(namespace: Namespace, service: str) -> None:
    """`kubectl scale` on the OrderService gives two ready pods within 45 s, and one again."""
    namespace.kubectl("scale", "orderservice", service, "--replicas=2")
    namespace.wait(f"orderservice/{service}", "jsonpath={.status.readyReplicas}=2", 45)
    assert 2 == len(namespace.pods(service))
    assert namespace.exists("poddisruptionbudget", service)

    namespace.kubectl("scale", "orderservice", service, "--replicas=1")
    namespace.wait(f"orderservice/{service}", "jsonpath={.status.replicas}=1", 45)
    namespace.wait(f"poddisruptionbudget/{service}", "delete", 15)


def test_an_autoscaler_takes_the_replicas_over_and_gives_them_back(
    namespace: Namespace, service: str
) -> None:
    """Within 60 s the autoscaler sets its minimum; no moment has fewer pods than before."""
    namespace.kubectl("scale", "orderservice", service, "--replicas=2")
    namespace.wait(f"orderservice/{service}", "jsonpath={.status.readyReplicas}=2", 45)
    before = namespace.get("deployment", service)["metadata"]["generation"]

    namespace.patch("orderservice", service, {"spec": {"autoscaling": {"min": 3, "max": 4}}})
    namespace.wait(f"deployment/{service}", "jsonpath={.spec.replicas}=3", 60)
    # From 2 to 3 is one change: had the field been dropped, its default of 1 would be another.
    assert before + 1 == namespace.get("deployment", service)["metadata"]["generation"]

    # Its drift is repaired within 15 s, as every child's.
    autoscaler = f"horizontalpodautoscaler/{service}"
    namespace.patch("horizontalpodautoscaler", service, {"spec": {"maxReplicas": 9}})
    namespace.wait(autoscaler, "jsonpath={.spec.maxReplicas}=4", 15)
    namespace.kubectl("delete", autoscaler)
    namespace.wait(autoscaler, "create", 15)

    spec = {"autoscaling": None, "replicas": 1}
    namespace.patch("orderservice", service, {"spec": spec})
    namespace.wait(f"horizontalpodautoscaler/{service}", "delete", 15)
    namespace.wait(f"deployment/{service}", "jsonpath={.spec.replicas}=1", 15)


def test_a_horizontal_pod_autoscaler_may_scale_the_resource(
    namespace: Namespace, service: str
) -> None:
    """One that names the OrderService sets its replicas within 60 s, by the scale subresource."""
    namespace.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "by-hand"},
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": "orders.dev/v1alpha1",
                    "kind": "OrderService",
                    "name": service,
                },
                "minReplicas": 2,
                "maxReplicas": 3,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": 80},
                        },
                    }
                ],
            },
        }
    )
    namespace.wait(f"orderservice/{service}", "jsonpath={.status.readyReplicas}=2", 60)
    namespace.kubectl("delete", "horizontalpodautoscaler", "by-hand")
    namespace.kubectl("scale", "orderservice", service, "--replicas=1")


def test_no_pods_at_all_is_ready(namespace: Namespace) -> None:
    """Scaled to nothing from the start, an OrderService is Ready within 15 s."""
    namespace.apply(order_service("none", replicas=0))
    namespace.rolled_out("none", 15)

    assert [] == namespace.pods("none")
    namespace.kubectl("delete", "orderservice", "none")
